package probe_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// counting notes what is read.
type counting struct {
	r     io.ReaderAt
	calls int
	bytes int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.calls++
	n, err := c.r.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

// pattern is a file that begins with some bytes and then repeats others, up to any size, and ends with further ones.
type pattern struct {
	head, unit, tail []byte
	size             int64
}

func (p pattern) ReadAt(b []byte, off int64) (int, error) {
	for i := range b {
		at := off + int64(i)
		switch end := p.size - int64(len(p.tail)); {
		case at >= p.size:
			return i, io.EOF
		case at < int64(len(p.head)):
			b[i] = p.head[at]
		case at >= end:
			b[i] = p.tail[at-end]
		default:
			b[i] = p.unit[(at-int64(len(p.head)))%int64(len(p.unit))]
		}
	}
	return len(b), nil
}

// bomb is a file that costs more than it should if a parser trusts it.
type bomb struct {
	name string
	file pattern
	err  error // What it ends in; nil if the answer is right
	want probe.Info
}

const gib = 1 << 30

func bombs() []bomb {
	huge := join("\x89PNG\r\n\x1a\n",
		pngChunk("IHDR", join(uint32(60000), uint32(60000), byte(16), byte(6), byte(0), byte(0), byte(0))))
	head := []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00")
	picture := join("\x2c", make([]byte, 8), "\x00\x02\x02\x4c\x01\x00")
	big := []byte("\x2c\x00\x00\x00\x00\x60\xea\x60\xea\x00\x08")
	mp4, segment := fileType("isom"), join(ebmlHead("webm"), endless(0x18538067))
	laughs := `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha">`
	for i := range 26 {
		name, last := string(rune('b'+i)), string(rune('a'+i))
		laughs += "<!ENTITY " + name + " \"" + strings.Repeat("&"+last+";", 10) + "\">"
	}
	laughs += `]><svg xmlns="http://www.w3.org/2000/svg" width="&z;" height="&z;">&z;</svg>`
	gifInfo := probe.Info{MIME: "image/gif", Kind: probe.Image}
	film := probe.Info{MIME: "video/quicktime", Kind: probe.Video}
	webm := probe.Info{MIME: "video/webm", Kind: probe.Video}
	sound := probe.Info{MIME: "audio/ogg", Kind: probe.Audio, Codecs: []string{"opus"}}
	page := (&oggWriter{serial: 9}).page(0, 5, nil)
	opus := opusFile(9, 1, 0, 0, 0)[:47]
	return []bomb{
		{"PNG of 60,000 by 60,000 pixels", pattern{head: huge, unit: pngChunk("IDAT", make([]byte, 9)), size: gib},
			probe.ErrLimit, with(clear(probe.Info{MIME: "image/png", Kind: probe.Image}), 60000, 60000)},
		{"PNG of empty chunks", pattern{head: huge, unit: pngChunk("teXt", nil), size: gib},
			probe.ErrLimit, with(clear(probe.Info{MIME: "image/png", Kind: probe.Image}), 60000, 60000)},
		{"GIF of a million frames", pattern{head: head, unit: picture, size: int64(len(head)) + 1e6*int64(len(picture))},
			nil, probe.Info{MIME: "image/gif", Kind: probe.Image, Width: 1, Height: 1, Orientation: 1, Animated: true}},
		{"GIF of one frame of 1 GiB", pattern{head: join(head, big), unit: join("\xff", make([]byte, 255)), size: gib},
			probe.ErrLimit, probe.Info{MIME: "image/gif", Kind: probe.Image, Width: 1, Height: 1, Orientation: 1}},
		{"GIF of extensions", pattern{head: head, unit: []byte("\x21\xfe\x00"), size: gib},
			probe.ErrLimit, with(gifInfo, 1, 1)},
		{"JPEG of empty segments", pattern{head: []byte("\xff\xd8"), unit: []byte("\xff\xe0\x00\x02"), size: gib},
			probe.ErrLimit, probe.Info{MIME: "image/jpeg", Kind: probe.Image}},
		{"JPEG of fill bytes", pattern{head: []byte("\xff\xd8"), unit: []byte("\xff"), size: gib},
			probe.ErrLimit, probe.Info{MIME: "image/jpeg", Kind: probe.Image}},
		{"TIFF with a directory of itself", pattern{head: join("MM\x00*", uint32(0)), unit: []byte("\xff"), size: gib},
			nil, probe.Info{MIME: "image/tiff", Kind: probe.Image}},
		{"WebP of empty chunks", pattern{head: riff("WEBP", extendedWebP(8, 9, 9)), unit: riffChunk("none", nil), size: gib},
			probe.ErrLimit, with(probe.Info{MIME: "image/webp", Kind: probe.Image}, 9, 9)},
		{"SVG of a billion laughs", pattern{head: []byte(laughs), unit: []byte(" "), size: int64(len(laughs))},
			nil, probe.Info{MIME: "image/svg+xml", Kind: probe.Image, Alpha: true}},
		{"XML that is all prolog", pattern{head: []byte("<?xml version='1.0'?>"), unit: []byte("<!--x-->"), size: gib},
			nil, probe.Info{MIME: "text/xml"}},
		{"XML of one tag", pattern{head: []byte("<?xml version='1.0'?><svg"), unit: []byte(" a='b'"), size: gib},
			nil, probe.Info{MIME: "text/xml"}},
		{"boxes of size 0", pattern{head: mp4, unit: make([]byte, 8), size: gib},
			probe.ErrMalformed, with(film, 0, 0, "video/mp4")},
		{"boxes of size 1", pattern{head: mp4, unit: join(uint32(1), "free", uint64(0)), size: gib},
			probe.ErrMalformed, with(film, 0, 0, "video/mp4")},
		{"boxes of the least size", pattern{head: mp4, unit: isoBox("free"), size: gib},
			probe.ErrLimit, with(film, 0, 0, "video/mp4")},
		{"boxes in boxes", pattern{unit: join(uint32(0), "moov"), size: gib}, nil, film},
		{"boxes of 2⁶⁴ bytes", pattern{unit: join(uint32(1), "moov", uint64(1<<64-1)), size: gib}, nil, film},
		{"tracks in tracks", pattern{head: join(mp4, uint32(0), "moov"), unit: join(uint32(16), "trak", uint32(8), "mdia"),
			size: gib}, probe.ErrLimit, with(film, 0, 0, "video/mp4")},
		{"run of 2³² samples", pattern{head: join(mp4, isoBox("moov", videoTrack(1, "avc1", 2, 2, upright), isoBox("mvex")),
			uint32(0), "moof", uint32(0), "traf", isoBox("tfhd", join(uint32(0), uint32(1))), uint32(0), "trun",
			uint32(0x100), uint32(1<<28-99)), unit: []byte("\x00\x00\x00\x01"), size: 5 * gib}, probe.ErrLimit,
			with(probe.Info{MIME: "video/mp4", Kind: probe.Video, Codecs: []string{"h264"}}, 2, 2)},
		{"empty EBML elements", pattern{head: segment, unit: []byte("\xec\x80"), size: gib}, probe.ErrLimit, webm},
		{"EBML in EBML", pattern{head: ebmlHead("webm"), unit: endless(0x18538067), size: gib}, probe.ErrMalformed, webm},
		{"clusters without an end", pattern{head: join(segment, ebml(0x1654ae6b, ebmlVideo("V_VP8", 0, pixels(8, 6)...))),
			unit: endless(0x1f43b675), size: gib}, probe.ErrLimit,
			with(probe.Info{MIME: "video/webm", Kind: probe.Video, Codecs: []string{"vp8"}}, 8, 6)},
		{"Ogg of 2³² pages", pattern{head: opus, unit: page, size: int64(len(opus)) + 1<<32*int64(len(page))},
			nil, with(sound, 0, 0, "", time.Second*5/48000)},
		{"chained Ogg of 2³² pages", pattern{head: opus, unit: (&oggWriter{serial: 8}).page(0, 5, nil),
			size: int64(len(opus)) + 1<<32*28}, probe.ErrLimit, sound},
		{"Ogg of page marks", pattern{head: opus, unit: []byte("OggS\x00"), size: gib}, probe.ErrMalformed, sound},
		{"MP3 of tags", pattern{unit: id3(0), size: gib},
			probe.ErrMalformed, probe.Info{MIME: "audio/mpeg", Kind: probe.Audio}},
		{"MP3 of headers that nothing follows", pattern{head: id3(0), unit: mp3Frame(9)[:5], size: gib},
			probe.ErrMalformed, probe.Info{MIME: "audio/mpeg", Kind: probe.Audio}},
		{"AAC of the least frames", pattern{unit: adtsFrame(7), size: gib}, probe.ErrLimit,
			probe.Info{MIME: "audio/aac", Kind: probe.Audio, Codecs: []string{"aac"}}},
		{"WAV of empty chunks", pattern{head: riff("WAVE"), unit: riffChunk("none", nil), size: gib},
			probe.ErrLimit, probe.Info{MIME: "audio/wav", Kind: probe.Audio}},
	}
}

// with sets a size, a MIME type and a duration.
func with(info probe.Info, width, height int, more ...any) probe.Info {
	info.Width, info.Height = width, height
	if width > 0 {
		info.Orientation = 1
	}
	for _, m := range more {
		switch v := m.(type) {
		case string:
			if v != "" {
				info.MIME = v
			}
		case time.Duration:
			info.Duration = v
		}
	}
	return info
}

// TestBombs holds every parser to its bounds: what it reads, how often it reads, and what it allocates.
func TestBombs(t *testing.T) {
	for _, tt := range bombs() {
		t.Run(tt.name, func(t *testing.T) {
			in := &counting{r: tt.file}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := probe.Read(t.Context(), in, tt.file.size)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			compare(t, got, tt.want)
			if in.bytes > probe.MaxBytes || in.calls > probe.MaxBytes/(4<<10) {
				t.Errorf("%d bytes read by %d calls", in.bytes, in.calls)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
				t.Errorf("%d MiB allocated", used>>20)
			}
		})
	}
}

// TestALargeFileIsHardlyRead holds that what lies between the parts that matter costs nothing.
func TestALargeFileIsHardlyRead(t *testing.T) {
	const size int64 = 4 * gib
	film := isoBox("moov", movieHeader(1000, 9000), videoTrack(1, "avc1", 640, 360, upright), soundTrack(2, "mp4a"))
	mp4 := fileType("isom")
	tracks := ebml(0x1654ae6b, ebmlVideo("V_VP9", 0, pixels(640, 360)...))
	for _, tt := range []struct {
		name string
		file pattern
		most int64
	}{
		{"film with its index at the end", pattern{
			head: join(mp4, uint32(1), "mdat", uint64(size)-uint64(len(mp4)+len(film))), unit: []byte{7}, tail: film}, 16 << 10},
		{"recording", pattern{
			head: join(ebmlHead("webm"), endless(0x18538067, segmentInfo(0), tracks), endless(0x1f43b675)),
			unit: []byte{7}, tail: endless(0x1f43b675, ebmlUint(0xe7, 9000), simpleBlock(1, 0, 50000))}, 128 << 10},
		{"voice", pattern{head: opusFile(3, 30, 0, 0, 0), unit: []byte{7},
			tail: (&oggWriter{serial: 3}).page(oggStop, 9*48000, make([]byte, 50))}, 48 << 10},
		{"song", pattern{head: flacHead(48000, 9*48000), unit: []byte{7}}, 8 << 10},
		{"sound", pattern{head: little("RF64", uint32(1<<32-1), "WAVE", riffChunk("ds64", little(uint64(0), uint64(9*16000),
			uint64(0), uint32(0))), waveFormat(1, 1, 8000, 16), "data", uint32(1<<32-1)), unit: []byte{7}}, 8 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.file.size = size
			in := &counting{r: tt.file}
			info, err := probe.Read(t.Context(), in, size)
			if err != nil || info.Duration != 9*time.Second {
				t.Errorf("%v and error %v, want 9 s", info.Duration, err)
			}
			if in.bytes > tt.most {
				t.Errorf("%d bytes read, want no more than %d", in.bytes, tt.most)
			}
		})
	}
}

// TestNoiseIsBounded reads noise by every parser. Its seed is fixed.
func TestNoiseIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for _, mime := range probe.Formats() {
		if _, err := probe.ReadAs(mime, noise); err != nil && !probe.Partial(err) {
			t.Errorf("%s: %v", mime, err)
		}
		if _, err := probe.ReadAs(mime, bytes.Repeat([]byte{0xff}, 100<<10)); err != nil && !probe.Partial(err) {
			t.Errorf("%s: %v", mime, err)
		}
	}
}

// TestWhatWasNotSeenIsNotGuessed reads recordings that are too long to look through: a part of the length is no length.
func TestWhatWasNotSeenIsNotGuessed(t *testing.T) {
	tracks := ebml(0x1654ae6b, ebmlVideo("V_VP8", 0, pixels(8, 6)...))
	head := isoBox("moov", movieHeader(1, 0), videoTrack(1, "avc1", 2, 2, upright), isoBox("mvex"))
	for name, file := range map[string]pattern{
		"webm": {
			head: join(ebmlHead("webm"), endless(0x18538067, tracks), endless(0x1f43b675), ebmlUint(0xe7, 5)),
			unit: simpleBlock(1, 9000, 9), size: gib,
		},
		"mp4": {head: join(fileType("isom"), head), unit: fragment(1, 5, 90000, 90000), size: gib},
	} {
		info, err := probe.Read(t.Context(), file, file.size)
		if !errors.Is(err, probe.ErrLimit) || info.Duration != 0 || info.Width == 0 {
			t.Errorf("%s: %+v and error %v, want a limit, a size and no duration", name, info, err)
		}
	}
}

// BenchmarkRead reads one file of each family.
func BenchmarkRead(b *testing.B) {
	for _, s := range samples() {
		switch s.name {
		case "turned-6.jpg", "still.gif", "film.mp4", "mif1.heic", "recorded.webm", "voice.opus", "xing.mp3", "box.svg":
		default:
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			in := bytes.NewReader(s.data)
			for b.Loop() {
				if _, err := probe.Read(b.Context(), in, in.Size()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
