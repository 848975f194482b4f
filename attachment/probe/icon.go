package probe

import "encoding/binary"

// isIcon tells whether a file that begins like a Windows icon or cursor is one: each of its pictures has a directory
// entry, whose fourth byte is zero.
func isIcon(head []byte) bool {
	return len(head) >= 22 && binary.LittleEndian.Uint16(head[4:]) > 0 && head[9] == 0
}

// readIcon takes the size of the largest picture in a Windows icon. A side of 0 stands for 256 pixels.
func readIcon(s *source, info *Info) error {
	head, err := s.at(4, 2)
	if err != nil {
		return err
	}
	info.Alpha = true
	for i := range int64(binary.LittleEndian.Uint16(head)) {
		entry, err := s.at(6+16*i, 16)
		if err != nil {
			return err
		}
		width, height := (int(entry[0])+255)%256+1, (int(entry[1])+255)%256+1
		if width*height > info.Width*info.Height {
			info.Width, info.Height = width, height
		}
	}
	return nil
}
