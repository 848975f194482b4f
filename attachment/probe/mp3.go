package probe

import (
	"encoding/binary"
	"time"
)

// mpegHeader is the header of an MPEG audio frame (ISO/IEC 11172-3 and 13818-3).
type mpegHeader struct {
	frame
	layer int
	first bool // MPEG-1, not 2 or 2.5
	mono  bool
}

// Bit rates in kbit/s by layer, of MPEG-1 and of the later ones.
var (
	mpegRates = [3][16]int64{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	}
	mpegLaterRates = [3][16]int64{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
)

// parseMPEGHeader reads a frame's header. Frames of free bit rate are not known.
func parseMPEGHeader(b []byte) (mpegHeader, bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return mpegHeader{}, false
	}
	version, layerCode := b[1]>>3&3, b[1]>>1&3
	rateIndex := b[2] >> 2 & 3
	if version == 1 || layerCode == 0 || rateIndex == 3 {
		return mpegHeader{}, false
	}
	h := mpegHeader{layer: 4 - int(layerCode), first: version == 3, mono: b[3]>>6 == 3}
	h.rate = [3]uint64{44100, 48000, 32000}[rateIndex]
	kbits := mpegRates[h.layer-1][b[2]>>4]
	if !h.first {
		kbits = mpegLaterRates[h.layer-1][b[2]>>4]
		h.rate /= 2
		if version == 0 {
			h.rate /= 2
		}
	}
	if kbits == 0 {
		return mpegHeader{}, false
	}
	padding := int64(b[2] >> 1 & 1)
	switch {
	case h.layer == 1:
		h.samples = 384
		h.size = (12*kbits*1000/int64(h.rate) + padding) * 4
	case h.layer == 3 && !h.first:
		h.samples = 576
		h.size = 72*kbits*1000/int64(h.rate) + padding
	default:
		h.samples = 1152
		h.size = 144*kbits*1000/int64(h.rate) + padding
	}
	return h, true
}

func parseMPEGFrame(b []byte) (frame, bool) {
	h, ok := parseMPEGHeader(b)
	return h.frame, ok
}

// followed tells whether another frame of the kind stands behind, which noise is unlikely to have.
func (h mpegHeader) followed(s *source, off int64) bool {
	head, err := s.at(off+h.size, 4)
	if err != nil {
		return false
	}
	next, ok := parseMPEGHeader(head)
	return ok && next.layer == h.layer && next.rate == h.rate
}

// readMP3 reads MP3, and what else may stand behind an ID3v2 tag.
func readMP3(s *source, info *Info) error {
	off, err := skipID3(s, 0)
	if err != nil {
		return err
	}
	head, err := s.head(off, frameHead)
	if err != nil {
		return err
	}
	if len(head) >= 4 && string(head[:4]) == "fLaC" {
		info.MIME = "audio/flac"
		return readFLACAt(s, off, info)
	}
	if f, ok := parseADTS(head); ok && off+f.size <= s.size {
		info.MIME = "audio/aac"
		return readADTSAt(s, off, info)
	}
	off, ok, err := firstFrame(s, off, parseMPEGFrame)
	if err != nil {
		return err
	}
	if !ok {
		return malformed("MP3 without sound")
	}
	if head, err = s.head(off, 4); err != nil {
		return err
	}
	h, _ := parseMPEGHeader(head)
	info.addCodec([]string{"mp1", "mp2", "mp3"}[h.layer-1])
	if info.Duration, err = h.announced(s, off); err != nil || info.Duration > 0 {
		return err
	}
	end, err := soundEnd(s, off)
	if err != nil {
		return err
	}
	info.Duration, err = playing(s, off, end, parseMPEGFrame)
	return err
}

// announced is the length that the first frame tells, if it has a Xing, Info or VBRI header instead of sound.
func (h mpegHeader) announced(s *source, off int64) (time.Duration, error) {
	const vbri = 4 + 32
	if head, err := s.head(off+vbri, 18); err != nil {
		return 0, err
	} else if len(head) == 18 && string(head[:4]) == "VBRI" {
		return ticks(uint64(binary.BigEndian.Uint32(head[14:]))*h.samples, h.rate), nil
	}
	at := off + 4 + 32
	switch {
	case h.first == h.mono: // MPEG-1 mono, or later stereo
		at = off + 4 + 17
	case h.mono:
		at = off + 4 + 9
	}
	head, err := s.head(at, 12)
	if err != nil || len(head) < 12 || string(head[:4]) != "Xing" && string(head[:4]) != "Info" {
		return 0, err
	}
	flags := binary.BigEndian.Uint32(head[4:])
	if flags&1 == 0 {
		return 0, nil
	}
	samples := uint64(binary.BigEndian.Uint32(head[8:])) * h.samples
	at += 12
	for i, size := range []int64{4, 100, 4} { // The length in bytes, the table, the quality
		if flags&(2<<i) != 0 {
			at += size
		}
	}
	// The encoder's tag tells what it put before and behind the sound to fill whole frames.
	if tag, err := s.head(at, 24); err != nil {
		return 0, err
	} else if len(tag) == 24 && (string(tag[:4]) == "LAME" || string(tag[:3]) == "Lav") {
		fill := uint64(tag[21])<<4 + uint64(tag[22]>>4) + uint64(tag[22]&15)<<8 + uint64(tag[23])
		if fill < samples {
			samples -= fill
		}
	}
	return ticks(samples, h.rate), nil
}
