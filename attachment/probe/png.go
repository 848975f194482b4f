package probe

import "encoding/binary"

// readPNG walks the chunks of a PNG (W3C PNG, third edition). It is an animated one if acTL stands before the pixels;
// the orientation may stand behind them.
func readPNG(s *source, info *Info) error {
	const first = 8
	header, err := s.at(first, 8+13)
	if err != nil {
		return err
	}
	if string(header[4:8]) != "IHDR" {
		return malformed("PNG without a header")
	}
	width, height := binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return malformed("size of a PNG")
	}
	info.Width, info.Height = int(width), int(height)
	info.Alpha = header[17]&4 != 0
	pixels := false
	for off := int64(first); off < s.size; {
		chunk, err := s.at(off, 8)
		if err != nil {
			return err
		}
		n, kind := int64(binary.BigEndian.Uint32(chunk)), string(chunk[4:])
		switch kind {
		case "acTL":
			if frames, err := s.at(off+8, 4); err != nil {
				return err
			} else if !pixels {
				info.MIME = "image/apng"
				info.Animated = binary.BigEndian.Uint32(frames) > 1
			}
		case "tRNS":
			info.Alpha = true
		case "IDAT":
			pixels = true
		case "eXIf":
			if err := readEXIF(s, off+8, off+8+n, info); err != nil {
				return err
			}
		case "IEND":
			return nil
		}
		off += 8 + n + 4
	}
	return errLeft
}
