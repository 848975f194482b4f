package probe_test

import (
	"bytes"
	"math"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// ebml is an element. Its id is written as it stands, its size in eight bytes.
func ebml(id uint32, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return join(ebmlID(id), uint64(len(body))|1<<56, body)
}

// endless is an element of unknown size.
func endless(id uint32, parts ...[]byte) []byte {
	return join(ebmlID(id), "\xff", bytes.Join(parts, nil))
}

func ebmlID(id uint32) []byte { return bytes.TrimLeft(join(id), "\x00") }

func ebmlUint(id uint32, v uint64) []byte { return ebml(id, join(v)) }

func ebmlHead(kind string) []byte {
	return ebml(0x1a45dfa3, ebmlUint(0x4286, 1), ebml(0x4282, []byte(kind)), ebmlUint(0x4287, 4))
}

// segmentInfo has a length in units of a millisecond, or none.
func segmentInfo(length float64) []byte {
	parts := [][]byte{ebmlUint(0x2ad7b1, 1e6), ebml(0x4d80, []byte("test"))}
	if length > 0 {
		parts = append(parts, ebml(0x4489, join(math.Float64bits(length))))
	}
	return ebml(0x1549a966, parts...)
}

// ebmlVideo and ebmlAudio are tracks. frame is the length of a frame in nanoseconds, or 0.
func ebmlVideo(codec string, frame uint64, picture ...[]byte) []byte {
	parts := [][]byte{ebmlUint(0xd7, 1), ebmlUint(0x83, 1), ebml(0x86, []byte(codec)), ebml(0xe0, picture...)}
	if frame > 0 {
		parts = append(parts, ebmlUint(0x23e383, frame))
	}
	return ebml(0xae, parts...)
}

func ebmlAudio(codec string) []byte {
	return ebml(0xae, ebmlUint(0xd7, 2), ebmlUint(0x83, 2), ebml(0x86, []byte(codec)))
}

func pixels(width, height uint64) [][]byte {
	return [][]byte{ebmlUint(0xb0, width), ebmlUint(0xba, height)}
}

// simpleBlock is a frame of a track, so many units behind its cluster's timestamp.
func simpleBlock(track byte, relative int16, size int) []byte {
	return ebml(0xa3, join(0x80|track, uint16(relative), byte(0x80), make([]byte, size)))
}

// matroskaSamples are WebM and MKV.
func matroskaSamples() []sample {
	var list []sample
	add := func(name string, want probe.Info, parts ...[]byte) {
		if want.Width > 0 {
			want.Kind, want.Orientation = probe.Video, 1
		} else {
			want.Kind = probe.Audio
		}
		list = append(list, sample{name: name, data: bytes.Join(parts, nil), want: want})
	}
	const segment, tracks, cluster = 0x18538067, 0x1654ae6b, 0x1f43b675
	both := ebml(tracks, ebmlVideo("V_VP9", 0, pixels(1280, 720)...), ebmlAudio("A_OPUS"))
	codecs := []string{"vp9", "opus"}
	seek := ebml(0x114d9b74, make([]byte, 40))
	add("film.webm", probe.Info{
		MIME: "video/webm", Width: 1280, Height: 720, Duration: 61500 * time.Millisecond, Codecs: codecs,
	},
		ebmlHead("webm"), ebml(segment, seek, segmentInfo(61500), both,
			ebml(cluster, ebmlUint(0xe7, 0), simpleBlock(1, 0, 99))))
	add("film.mkv", probe.Info{
		MIME: "video/x-matroska", Width: 720, Height: 405, Duration: 1500 * time.Millisecond, Codecs: []string{"h264", "ac3"},
	}, ebmlHead("matroska"), ebml(segment, ebml(0xec, make([]byte, 100)), segmentInfo(1500), ebml(tracks,
		ebmlVideo("V_MPEG4/ISO/AVC", 0, append(pixels(720, 576), ebmlUint(0x54b0, 720), ebmlUint(0x54ba, 405))...),
		ebmlAudio("A_AC3"))))
	add("ratio.mkv", probe.Info{
		MIME: "video/x-matroska", Width: 1024, Height: 576, Duration: 1500 * time.Millisecond, Codecs: []string{"hevc"},
	}, ebmlHead("matroska"), ebml(segment, segmentInfo(1500), ebml(tracks, ebmlVideo("V_MPEGH/ISO/HEVC", 0,
		append(pixels(720, 576), ebmlUint(0x54b0, 16), ebmlUint(0x54ba, 9), ebmlUint(0x54b2, 3))...))))
	add("clear.webm", probe.Info{
		MIME: "video/webm", Width: 20, Height: 10, Alpha: true, Duration: time.Second, Codecs: []string{"vp8"},
	}, ebmlHead("webm"), ebml(segment, segmentInfo(1000), ebml(tracks,
		ebmlVideo("V_VP8", 0, append(pixels(20, 10), ebmlUint(0x53c0, 1))...))))
	add("voice.webm", probe.Info{MIME: "audio/webm", Duration: 2500 * time.Millisecond, Codecs: []string{"opus"}},
		ebmlHead("webm"), ebml(segment, segmentInfo(2500), ebml(tracks, ebmlAudio("A_OPUS"))))
	add("song.mka", probe.Info{MIME: "audio/x-matroska", Duration: 2500 * time.Millisecond, Codecs: []string{"flac"}},
		ebmlHead("matroska"), ebml(segment, segmentInfo(2500), ebml(tracks, ebmlAudio("A_FLAC"))))

	// What a browser records has neither a length nor sizes.
	live := func(clusters ...[]byte) []byte {
		return join(ebmlHead("webm"), endless(segment, segmentInfo(0), both, bytes.Join(clusters, nil)))
	}
	recorded := probe.Info{MIME: "video/webm", Width: 1280, Height: 720, Duration: 9400 * time.Millisecond, Codecs: codecs}
	add("recorded.webm", recorded, live(
		endless(cluster, ebmlUint(0xe7, 0), simpleBlock(1, 0, 3000), simpleBlock(2, 20, 50)),
		endless(cluster, ebmlUint(0xe7, 5000), simpleBlock(1, 33, 3000), simpleBlock(2, 4400, 50),
			simpleBlock(1, 4300, 900))))
	add("recorded-long.webm", recorded, live(
		endless(cluster, ebmlUint(0xe7, 0), simpleBlock(1, 0, 3000)),
		endless(cluster, ebmlUint(0xe7, 5000), simpleBlock(2, 0, 5<<20), simpleBlock(2, 4400, 50))))
	add("large-clusters.webm", recorded, live(
		ebml(cluster, ebmlUint(0xe7, 0), simpleBlock(1, 0, 5<<20)),
		ebml(cluster, ebmlUint(0xe7, 5000), simpleBlock(1, 4400, 5<<20))))
	add("grouped.webm", recorded, live(
		ebml(cluster, ebmlUint(0xe7, 9000), ebml(0xa0,
			ebml(0xa1, join("\x81", uint16(360), "\x00data")), ebmlUint(0x9b, 40)))))
	add("timed-frames.webm", probe.Info{
		MIME: "video/webm", Width: 64, Height: 48, Duration: 140 * time.Millisecond, Codecs: []string{"av1"},
	}, ebmlHead("webm"), endless(segment, segmentInfo(0), ebml(tracks, ebmlVideo("V_AV1", 40e6, pixels(64, 48)...)),
		endless(cluster, ebmlUint(0xe7, 0), simpleBlock(1, 0, 10), simpleBlock(1, 100, 10)),
		ebml(0x1c53bb6b, make([]byte, 9))))
	return list
}
