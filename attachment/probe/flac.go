package probe

import "encoding/binary"

// readFLAC reads the stream's description, which comes first (RFC 9639, section 8.2).
func readFLAC(s *source, info *Info) error { return readFLACAt(s, 0, info) }

func readFLACAt(s *source, off int64, info *Info) error {
	info.addCodec("flac")
	body, err := s.at(off+4, 4+18)
	if err != nil {
		return err
	}
	if body[0]&0x7f != 0 {
		return malformed("FLAC without a description")
	}
	v := binary.BigEndian.Uint64(body[14:])
	info.Duration = ticks(v&(1<<36-1), v>>44)
	return nil
}
