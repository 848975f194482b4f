package probe

import "encoding/binary"

// readBMP reads the header of a Windows or an OS/2 bitmap. A negative height is that of rows from top to bottom.
func readBMP(s *source, info *Info) error {
	size, err := s.at(14, 4)
	if err != nil {
		return err
	}
	const core = 12 // BITMAPCOREHEADER
	switch n := binary.LittleEndian.Uint32(size); {
	case n == core:
		head, err := s.at(14, core)
		if err != nil {
			return err
		}
		info.Width = int(binary.LittleEndian.Uint16(head[4:]))
		info.Height = int(binary.LittleEndian.Uint16(head[6:]))
	case n >= 16 && n <= 1<<10:
		head, err := s.at(14, 16)
		if err != nil {
			return err
		}
		info.Width = int(int32(binary.LittleEndian.Uint32(head[4:])))
		info.Height = int(int32(binary.LittleEndian.Uint32(head[8:])))
		info.Height = max(info.Height, -info.Height)
	default:
		return malformed("header of a BMP")
	}
	if info.Width <= 0 || info.Height <= 0 {
		return malformed("size of a BMP")
	}
	return nil
}
