package probe

import "encoding/binary"

// readGIF walks the blocks of a GIF up to its second picture (GIF89a). The rest can't change what it is.
func readGIF(s *source, info *Info) error {
	header, err := s.at(0, 13)
	if err != nil {
		return err
	}
	info.Width = int(binary.LittleEndian.Uint16(header[6:]))
	info.Height = int(binary.LittleEndian.Uint16(header[8:]))
	off := 13 + colorTable(header[10])
	for pictures := 0; ; {
		block, err := s.at(off, 1)
		if err != nil {
			return err
		}
		switch block[0] {
		case 0x21: // An extension, such as a control block, which knows of transparency
			control, err := s.head(off, 4)
			if err != nil {
				return err
			}
			if len(control) == 4 && control[1] == 0xf9 && control[2] == 4 && control[3]&1 != 0 {
				info.Alpha = true
			}
			off += 2
		case 0x2c:
			if pictures++; pictures == 2 {
				info.Animated = true
				return nil
			}
			picture, err := s.at(off, 10)
			if err != nil {
				return err
			}
			off += 10 + colorTable(picture[9]) + 1
		case 0x3b:
			if pictures == 0 {
				return malformed("GIF without a picture")
			}
			return nil
		default:
			return malformed("block of a GIF")
		}
		if off, err = skipBlocks(s, off); err != nil {
			return err
		}
	}
}

// colorTable is the size of the table that such flags announce, in bytes.
func colorTable(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skipBlocks gives the offset behind a row of sub-blocks.
func skipBlocks(s *source, off int64) (int64, error) {
	for {
		n, err := s.at(off, 1)
		if err != nil {
			return 0, err
		}
		off += 1 + int64(n[0])
		if n[0] == 0 {
			return off, nil
		}
	}
}
