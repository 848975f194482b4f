package probe

// adtsRates are the sampling rates of AAC by their index (ISO/IEC 14496-3, table 1.18).
var adtsRates = [16]uint64{
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
}

// parseADTS reads the header of an ADTS frame (ISO/IEC 14496-3, 1.A.2.2).
func parseADTS(b []byte) (frame, bool) {
	if len(b) < 7 || b[0] != 0xff || b[1]&0xf6 != 0xf0 {
		return frame{}, false
	}
	f := frame{
		size:    int64(b[3]&3)<<11 | int64(b[4])<<3 | int64(b[5]>>5),
		samples: 1024 * (1 + uint64(b[6]&3)),
		rate:    adtsRates[b[2]>>2&15],
	}
	return f, f.rate > 0 && f.size >= 7
}

// readADTS reads AAC without a container.
func readADTS(s *source, info *Info) error { return readADTSAt(s, 0, info) }

func readADTSAt(s *source, from int64, info *Info) error {
	off, ok, err := firstFrame(s, from, parseADTS)
	if err != nil {
		return err
	}
	if !ok {
		return malformed("AAC without sound")
	}
	info.addCodec("aac")
	end, err := soundEnd(s, off)
	if err != nil {
		return err
	}
	info.Duration, err = playing(s, off, end, parseADTS)
	return err
}
