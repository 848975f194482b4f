package probe

import "encoding/binary"

// maxTagsInFront is how many ID3v2 tags may stand in a row.
const maxTagsInFront = 16

// skipID3 gives the offset behind the ID3v2 tags that stand at an offset (ID3v2.4, section 3.1).
func skipID3(s *source, off int64) (int64, error) {
	for range maxTagsInFront {
		head, err := s.head(off, 10)
		if err != nil {
			return 0, err
		}
		if len(head) < 10 || string(head[:3]) != "ID3" {
			break
		}
		size := int64(0)
		for _, c := range head[6:10] {
			size = size<<7 | int64(c&0x7f)
		}
		if head[5]&0x10 != 0 {
			size += 10
		}
		off += 10 + size
		if off > s.size {
			return 0, errLeft
		}
	}
	return off, nil
}

// soundEnd gives the offset at which the tags at a file's end begin: ID3v1, and APE before it.
func soundEnd(s *source, from int64) (int64, error) {
	end := s.size
	if end-from >= 128 {
		tag, err := s.at(end-128, 3)
		if err != nil {
			return 0, err
		}
		if string(tag) == "TAG" {
			end -= 128
		}
	}
	if end-from >= 32 {
		tag, err := s.at(end-32, 32)
		if err != nil {
			return 0, err
		}
		if string(tag[:8]) == "APETAGEX" {
			size := int64(binary.LittleEndian.Uint32(tag[12:]))
			if binary.LittleEndian.Uint32(tag[20:])&(1<<31) != 0 {
				size += 32 // A header that the size leaves out
			}
			if size <= end-from {
				end -= size
			}
		}
	}
	return end, nil
}
