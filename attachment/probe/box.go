package probe

import (
	"encoding/binary"
	"iter"
)

// box is a piece of an ISO base media file (ISO/IEC 14496-12, 4.2).
type box struct {
	kind     string
	from, to int64 // The body, which ends with the box around it at the latest
}

// boxes walks the boxes between two offsets. Nothing is entered that isn't asked for by name, so boxes in boxes in
// boxes cost nothing.
func boxes(s *source, from, to int64) iter.Seq2[box, error] {
	return func(yield func(box, error) bool) {
		for off := from; off+8 <= to; {
			b, err := readBox(s, off, to)
			if !yield(b, err) || err != nil {
				return
			}
			off = b.to
		}
	}
}

// readBox reads the header of a box.
func readBox(s *source, off, to int64) (box, error) {
	head, err := s.at(off, 8)
	if err != nil {
		return box{}, err
	}
	b := box{kind: string(head[4:]), from: off + 8}
	size := int64(binary.BigEndian.Uint32(head))
	switch size {
	case 0: // It goes on to the end
		b.to = to
		return b, nil
	case 1:
		large, err := s.at(off+8, 8)
		if err != nil {
			return box{}, err
		}
		b.from += 8
		size = int64(min(binary.BigEndian.Uint64(large), 1<<62))
	}
	if size < b.from-off {
		return box{}, malformed("box that is smaller than its header")
	}
	b.to = to
	if size < to-off {
		b.to = off + size
	}
	return b, nil
}

// versioned reads n bytes of a full box: its version, its flags, and what stands between offset 4 and n.
func (b box) versioned(s *source, n int) (version byte, flags uint32, body []byte, err error) {
	if b.from+int64(n) > b.to {
		return 0, 0, nil, malformed("box " + printable(b.kind) + " is too short")
	}
	body, err = s.at(b.from, n)
	if err != nil {
		return 0, 0, nil, err
	}
	return body[0], binary.BigEndian.Uint32(body) & 0xffffff, body, nil
}

// children walks the boxes inside one.
func (b box) children(s *source) iter.Seq2[box, error] { return boxes(s, b.from, b.to) }

// printable is a code of four characters with dots for what is none.
func printable(code string) string {
	out := []byte(code)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '.'
		}
	}
	return string(out)
}
