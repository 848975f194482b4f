package probe

import "encoding/binary"

// readJPEG walks the segments up to the frame header, which has the size (ITU-T T.81, annex B).
func readJPEG(s *source, info *Info) error {
	for off := int64(2); ; {
		mark, err := s.at(off, 2)
		if err != nil {
			return err
		}
		if mark[0] != 0xff {
			return malformed("JPEG without a marker where one belongs")
		}
		code := mark[1]
		switch {
		case code == 0xff: // Fill byte
			off++
			continue
		case code == 0x01, code >= 0xd0 && code <= 0xd8: // Markers without a segment
			off += 2
			continue
		case code == 0xd9, code == 0xda:
			return malformed("JPEG without a frame header")
		}
		length, err := s.at(off+2, 2)
		if err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint16(length))
		if n < 2 {
			return malformed("length of a JPEG segment")
		}
		body, end := off+4, off+2+n
		switch {
		case code == 0xe1 && info.Orientation == 0 && n >= 8:
			if prefix, err := s.head(body, 6); err != nil {
				return err
			} else if string(prefix) == "Exif\x00\x00" {
				if err := readEXIF(s, body, end, info); err != nil {
					return err
				}
			}
		case isFrameHeader(code):
			frame, err := s.at(body, 5)
			if err != nil {
				return err
			}
			info.Height = int(binary.BigEndian.Uint16(frame[1:]))
			info.Width = int(binary.BigEndian.Uint16(frame[3:]))
			return nil
		}
		off = end
	}
}

// isFrameHeader tells whether a marker is one of SOF0 to SOF15, between which DHT, JPG and DAC stand.
func isFrameHeader(code byte) bool {
	return code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc
}
