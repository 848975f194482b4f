package probe

import (
	"encoding/binary"
	"fmt"
)

// Codecs of WAV by their numbers (RFC 2361).
var waveCodecs = map[uint16]string{
	0x01: "pcm", 0x02: "adpcm_ms", 0x03: "pcm", 0x06: "pcm_alaw", 0x07: "pcm_mulaw", 0x11: "adpcm_ima_wav",
	0x31: "gsm_ms", 0x50: "mp2", 0x55: "mp3", 0xff: "aac", 0x2000: "ac3", 0x2001: "dts",
}

const (
	wavePCM        = 0x01
	waveFloat      = 0x03
	waveExtensible = 0xfffe
)

// wave is what the fmt chunk says.
type wave struct {
	format             uint16
	rate, bytesPerTime uint32
	frame              uint16 // Bytes of one sample of all channels
	samples            uint64 // Of the fact chunk
	large              uint64 // RF64: the true size of the data
}

// readWAV reads WAV, and RF64 (EBU Tech 3306) for more than 4 GiB.
func readWAV(s *source, info *Info) error {
	var w wave
	for c, err := range chunks(s) {
		if err != nil {
			return err
		}
		switch c.kind {
		case "ds64":
			body, err := s.at(c.from, 16)
			if err != nil {
				return err
			}
			w.large = binary.LittleEndian.Uint64(body[8:])
		case "fmt ":
			if err := w.readFormat(s, c); err != nil {
				return err
			}
			info.addCodec(w.codec())
		case "fact":
			body, err := s.at(c.from, 4)
			if err != nil {
				return err
			}
			w.samples = uint64(binary.LittleEndian.Uint32(body))
		case "data":
			w.describe(s.size-c.from, uint64(c.size), info)
			return nil
		}
	}
	return malformed("WAV without sound")
}

func (w *wave) readFormat(s *source, c chunk) error {
	body, err := s.at(c.from, 16)
	if err != nil {
		return err
	}
	w.format = binary.LittleEndian.Uint16(body)
	w.rate, w.bytesPerTime = binary.LittleEndian.Uint32(body[4:]), binary.LittleEndian.Uint32(body[8:])
	w.frame = binary.LittleEndian.Uint16(body[12:])
	if w.format != waveExtensible || c.size < 40 {
		return nil
	}
	// The number stands at the start of the subformat.
	if body, err = s.at(c.from+24, 2); err != nil {
		return err
	}
	w.format = binary.LittleEndian.Uint16(body)
	return nil
}

func (w *wave) codec() string {
	if name, ok := waveCodecs[w.format]; ok {
		return name
	}
	return fmt.Sprintf("wav_%#04x", w.format)
}

// describe sets the length. A recorder that can't go back leaves the size of the data at zero or at its highest.
func (w *wave) describe(rest int64, size uint64, info *Info) {
	if w.large > 0 && size == 1<<32-1 {
		size = w.large
	}
	if size == 0 || size > uint64(rest) {
		size = uint64(rest)
	}
	exact := w.format == wavePCM || w.format == waveFloat
	switch {
	case exact && w.frame > 0:
		info.Duration = ticks(size/uint64(w.frame), uint64(w.rate))
	case w.samples > 0 && w.samples < 1<<32-1:
		info.Duration = ticks(w.samples, uint64(w.rate))
	default:
		info.Duration = ticks(size, uint64(w.bytesPerTime))
	}
}
