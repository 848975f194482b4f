package probe_test

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// oggCRC is Ogg's checksum: a CRC-32 of the polynomial 0x04c11db7, not reflected.
func oggCRC(page []byte) uint32 {
	var crc uint32
	for _, b := range page {
		crc ^= uint32(b) << 24
		for range 8 {
			top := crc >> 31
			crc <<= 1
			if top == 1 {
				crc ^= 0x04c11db7
			}
		}
	}
	return crc
}

// oggWriter makes the pages of one stream.
type oggWriter struct {
	serial, sequence uint32
}

const (
	oggStart = 2
	oggStop  = 4
)

// page is one with whole packets.
func (w *oggWriter) page(flags byte, granule uint64, packets ...[]byte) []byte {
	var lengths, body []byte
	for _, packet := range packets {
		for range len(packet) / 255 {
			lengths = append(lengths, 255)
		}
		lengths = append(lengths, byte(len(packet)%255))
		body = append(body, packet...)
	}
	out := little("OggS\x00", flags, granule, w.serial, w.sequence, uint32(0), byte(len(lengths)), lengths, body)
	w.sequence++
	binary.LittleEndian.PutUint32(out[22:], oggCRC(out))
	return out
}

// opusFile is an Opus stream of so many packets of 20 ms, ten on a page, whose granules start at begin, and whose last
// packet is cut by some samples.
func opusFile(serial uint32, packets int, begin uint64, skip uint16, cut uint64) []byte {
	w := &oggWriter{serial: serial}
	out := w.page(oggStart, 0, little("OpusHead\x01\x01", skip, uint32(16000), uint16(0), byte(0)))
	out = append(out, w.page(0, 0, little("OpusTags", uint32(4), "test", uint32(0)))...)
	packet := append([]byte{0x78}, make([]byte, 39)...) // Hybrid, 20 ms, mono, one frame
	for n := 0; n < packets; {
		var page [][]byte
		for len(page) < 10 && n < packets {
			page, n = append(page, packet), n+1
		}
		flags, granule := byte(0), begin+uint64(n)*960
		if n == packets {
			flags, granule = oggStop, granule-cut
		}
		out = append(out, w.page(flags, granule, page...)...)
	}
	return out
}

// vorbisFile is a Vorbis stream with so many samples.
func vorbisFile(serial uint32, rate uint32, samples uint64) []byte {
	w := &oggWriter{serial: serial}
	return bytes.Join([][]byte{
		w.page(oggStart, 0, little("\x01vorbis", uint32(0), byte(2), rate, uint32(0), uint32(128000), uint32(0), "\xb8\x01")),
		w.page(0, 0, []byte("\x03vorbis"), []byte("\x05vorbis")),
		w.page(0, 1<<64-1, make([]byte, 300)),
		w.page(oggStop, samples, make([]byte, 300)),
	}, nil)
}

// oggSamples are files of Ogg.
func oggSamples() []sample {
	var list []sample
	add := func(name, mime string, data []byte, length time.Duration, codecs ...string) {
		list = append(list, sample{name: name, data: data, want: probe.Info{
			MIME: mime, Kind: probe.Audio, Duration: length, Codecs: codecs,
		}})
	}
	add("voice.opus", "audio/ogg", opusFile(7, 150, 0, 312, 0), 3*time.Second-312*time.Second/48000, "opus")
	add("trimmed.opus", "audio/ogg", opusFile(7, 151, 0, 312, 960-312), 3*time.Second, "opus")
	add("one-page.opus", "audio/ogg", opusFile(7, 5, 0, 480, 480), 80*time.Millisecond, "opus")
	add("cut-from-live.opus", "audio/ogg", opusFile(7, 100, 48000*3600, 480, 0), 1990*time.Millisecond, "opus")
	add("song.oga", "audio/ogg", vorbisFile(1<<31, 44100, 44100*7/2), 3500*time.Millisecond, "vorbis")
	add("chained.oga", "audio/ogg", join(vorbisFile(1, 48000, 48000), opusFile(2, 50, 0, 0, 0)), 2*time.Second, "vorbis")

	w := &oggWriter{serial: 3}
	flac := join("\x7fFLAC\x01\x00\x00\x01", flacHead(32000, 0))
	add("flac.oga", "audio/ogg", join(w.page(oggStart, 0, flac), w.page(oggStop, 64000, make([]byte, 9))),
		2*time.Second, "flac")
	speex := &oggWriter{serial: 4}
	head := little("Speex   1.2", make([]byte, 17), uint32(1), uint32(80), uint32(16000), make([]byte, 40))
	add("voice.spx", "audio/ogg", join(speex.page(oggStart, 0, head), speex.page(oggStop, 8000, make([]byte, 9))),
		500*time.Millisecond, "speex")
	add("opus-with-noise-behind.oga", "audio/ogg", join(opusFile(7, 50, 0, 0, 0), "OggS", make([]byte, 500)),
		time.Second, "opus")

	theora := &oggWriter{serial: 5}
	// 314 × 234 pixels are shown of 320 × 240.
	picture := join("\x80theora\x03\x02\x01", uint16(20), uint16(15), "\x00\x01\x3a\x00\x00\xea\x00\x00",
		uint32(25), uint32(1), "\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00", uint16(63<<10|6<<5))
	film := join(theora.page(oggStart, 0, picture), theora.page(0, 0, []byte("\x81theora"), []byte("\x82theora")),
		theora.page(oggStop, 40<<6|10, make([]byte, 50)))
	list = append(list, sample{name: "silent.ogv", data: film, want: probe.Info{
		MIME: "video/ogg", Kind: probe.Video, Width: 314, Height: 234, Orientation: 1,
		Duration: 2 * time.Second, Codecs: []string{"theora"},
	}})
	return list
}
