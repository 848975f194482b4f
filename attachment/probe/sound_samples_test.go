package probe_test

import (
	"bytes"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// mp3Frame is an MPEG-1 layer III frame at 44.1 kHz without sound. Its bit rate is by index: 9 is 128 kbit/s.
func mp3Frame(index byte) []byte {
	kbits := []int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}[index]
	frame := make([]byte, 144*kbits*1000/44100)
	copy(frame, []byte{0xff, 0xfb, index << 4, 0x44})
	return frame
}

// lateFrame is an MPEG-2 layer III frame at 22.05 kHz, mono, 64 kbit/s.
func lateFrame() []byte {
	frame := make([]byte, 72*64000/22050)
	copy(frame, []byte{0xff, 0xf3, 0x80, 0xc4})
	return frame
}

// announcing puts a header into a frame without sound.
func announcing(frame []byte, at int, header []byte) []byte {
	out := bytes.Clone(frame)
	copy(out[at:], header)
	return out
}

// id3 is a tag with so many bytes of padding.
func id3(padding int) []byte {
	return join("ID3\x04\x00\x00", byte(padding>>21&127), byte(padding>>14&127), byte(padding>>7&127),
		byte(padding&127), make([]byte, padding))
}

// adtsFrame is a frame of AAC at 44.1 kHz, of so many bytes.
func adtsFrame(size int) []byte {
	frame := make([]byte, size)
	copy(frame, []byte{0xff, 0xf1, 0x50, 0x80 | byte(size>>11), byte(size >> 3), byte(size<<5) | 0x1f, 0xfc})
	return frame
}

// flacHead is the head of a FLAC file.
func flacHead(rate, samples uint64) []byte {
	return join("fLaC\x80\x00\x00\x22", uint16(4096), uint16(4096), "\x00\x00\x0e\x00\x10\x00",
		rate<<44|1<<41|15<<36|samples, make([]byte, 16))
}

// waveFormat is a fmt chunk.
func waveFormat(format uint16, channels uint16, rate uint32, bits uint16, extra ...byte) []byte {
	frame := channels * bits / 8
	return riffChunk("fmt ", little(format, channels, rate, rate*uint32(frame), frame, bits, extra))
}

// soundSamples are sounds in formats without boxes and pages.
func soundSamples() []sample {
	var list []sample
	add := func(name, mime, codec string, data []byte, length time.Duration) {
		list = append(list, sample{name: name, data: data, want: probe.Info{
			MIME: mime, Kind: probe.Audio, Codecs: []string{codec}, Duration: length,
		}})
	}
	samples := func(n, rate int) time.Duration {
		return time.Duration(float64(n) / float64(rate) * float64(time.Second))
	}
	cbr := bytes.Repeat(mp3Frame(9), 100)
	add("cbr.mp3", "audio/mpeg", "mp3", cbr, samples(100*1152, 44100))
	add("vbr-without-header.mp3", "audio/mpeg", "mp3",
		bytes.Repeat(join(mp3Frame(5), mp3Frame(9), mp3Frame(14)), 30), samples(90*1152, 44100))
	add("tagged.mp3", "audio/mpeg", "mp3",
		join(id3(9000), cbr, "APETAGEX", little(uint32(2000), uint32(32), uint32(0), uint32(0), uint64(0)),
			"TAG", make([]byte, 125)),
		samples(100*1152, 44100))
	xing := join("Xing", uint32(15), uint32(500), uint32(1), make([]byte, 104))
	add("xing.mp3", "audio/mpeg", "mp3", join(id3(10), announcing(mp3Frame(9), 36, xing), cbr), samples(500*1152, 44100))
	lame := join("Info", uint32(1), uint32(101), "LAME3.100", make([]byte, 12), []byte{0x24, 0x04, 0x80})
	add("lame.mp3", "audio/mpeg", "mp3", join(announcing(mp3Frame(9), 36, lame), cbr),
		samples(101*1152-0x240-0x480, 44100))
	vbri := join("VBRI", uint16(1), uint16(0), uint16(0), uint32(0), uint32(250), make([]byte, 8))
	add("vbri.mp3", "audio/mpeg", "mp3", join(announcing(mp3Frame(9), 36, vbri), cbr), samples(250*1152, 44100))
	add("mono-22k.mp3", "audio/mpeg", "mp3", join(id3(0), bytes.Repeat(lateFrame(), 40)), samples(40*576, 22050))
	long := bytes.Repeat(mp3Frame(14), 5000)
	add("long.mp3", "audio/mpeg", "mp3", long, samples(5000*1152, 44100))

	adts := bytes.Repeat(join(adtsFrame(200), adtsFrame(300)), 60)
	add("adts.aac", "audio/aac", "aac", adts, samples(120*1024, 44100))
	add("tagged.aac", "audio/aac", "aac", join(id3(100), adts), samples(120*1024, 44100))

	add("plain.flac", "audio/flac", "flac", flacHead(48000, 48000*5/2), 2500*time.Millisecond)
	add("tagged.flac", "audio/flac", "flac", join(id3(64), flacHead(96000, 96000*60)), time.Minute)

	second := make([]byte, 16000)
	add("pcm.wav", "audio/wav", "pcm", riff("WAVE", waveFormat(1, 1, 8000, 16), riffChunk("data", second)), time.Second)
	add("list-first.wav", "audio/wav", "pcm", riff("WAVE", riffChunk("LIST", []byte("INFOx")), waveFormat(3, 1, 4000, 32),
		riffChunk("data", second)), time.Second)
	guid := little(uint16(22), uint16(16), uint32(4), uint16(1),
		"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71")
	add("extensible.wav", "audio/wav", "pcm", riff("WAVE", waveFormat(0xfffe, 2, 4000, 16, guid...),
		riffChunk("data", second)), time.Second)
	add("mulaw.wav", "audio/wav", "pcm_mulaw", riff("WAVE", waveFormat(7, 1, 8000, 8), riffChunk("data", second)),
		2*time.Second)
	adpcm := riffChunk("fmt ", little(uint16(0x11), uint16(1), uint32(8000), uint32(4055), uint16(256), uint16(4),
		uint16(2), uint16(505)))
	add("adpcm.wav", "audio/wav", "adpcm_ima_wav", riff("WAVE", adpcm, riffChunk("fact", little(uint32(24000))),
		riffChunk("data", make([]byte, 12160))), 3*time.Second)
	piped := riff("WAVE", waveFormat(1, 1, 8000, 16), little("data", uint32(1<<32-1), second))
	add("piped.wav", "audio/wav", "pcm", piped, time.Second)
	add("rf64.wav", "audio/wav", "pcm", little("RF64", uint32(1<<32-1), "WAVE",
		riffChunk("ds64", little(uint64(0), uint64(8000), uint64(4000), uint32(0))), waveFormat(1, 1, 8000, 16),
		"data", uint32(1<<32-1), second), 500*time.Millisecond)
	return list
}
