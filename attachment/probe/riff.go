package probe

import (
	"encoding/binary"
	"iter"
)

// chunk is a piece of a RIFF file, such as WebP or WAV.
type chunk struct {
	kind     string
	size     uint32 // As claimed
	from, to int64  // The body, which may reach beyond the file's end
}

// chunks walks the chunks of a RIFF file. What cuts the last one off is no error here: bodies are checked when read.
func chunks(s *source) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for off := int64(12); off+8 <= s.size; {
			head, err := s.at(off, 8)
			if err != nil {
				yield(chunk{}, err)
				return
			}
			c := chunk{kind: string(head[:4]), size: binary.LittleEndian.Uint32(head[4:]), from: off + 8}
			c.to = c.from + int64(c.size)
			if !yield(c, nil) {
				return
			}
			off = c.to + int64(c.size&1)
		}
	}
}
