package probe

import "encoding/binary"

// readWebP reads the three forms of WebP: lossy, lossless and extended (RFC 9649).
func readWebP(s *source, info *Info) error {
	extended := false
	for c, err := range chunks(s) {
		if err != nil {
			return err
		}
		switch {
		case c.kind == "VP8X" && !extended:
			head, err := s.at(c.from, 10)
			if err != nil {
				return err
			}
			extended = true
			info.Width, info.Height = 1+uint24(head[4:]), 1+uint24(head[7:])
			info.Animated, info.Alpha = head[0]&0x02 != 0, head[0]&0x10 != 0
			if head[0]&0x08 == 0 {
				return nil
			}
			// The EXIF data stands behind the pixels.
		case c.kind == "VP8 " && !extended:
			head, err := s.at(c.from, 10)
			if err != nil {
				return err
			}
			if string(head[3:6]) != "\x9d\x01\x2a" {
				return malformed("key frame of a WebP")
			}
			info.Width = int(binary.LittleEndian.Uint16(head[6:]) & 0x3fff)
			info.Height = int(binary.LittleEndian.Uint16(head[8:]) & 0x3fff)
			return nil
		case c.kind == "VP8L" && !extended:
			head, err := s.at(c.from, 5)
			if err != nil {
				return err
			}
			if head[0] != 0x2f {
				return malformed("lossless WebP")
			}
			bits := binary.LittleEndian.Uint32(head[1:])
			info.Width, info.Height = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
			info.Alpha = bits>>28&1 != 0
			return nil
		case c.kind == "EXIF" && extended:
			return readEXIF(s, c.from, c.to, info)
		}
	}
	if extended {
		return nil // It promised EXIF data and has none; browsers don't mind
	}
	return malformed("WebP without a picture")
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
