package attachment_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// turnedJPEG is a JPEG with an EXIF orientation.
func turnedJPEG(t *testing.T, width, height int, orientation byte) []byte {
	t.Helper()
	exif := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	exif = append(exif, orientation, 0, 0, 0, 0, 0, 0)
	plain := jpegFile(t, width, height)
	data := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(data, exif...), plain[2:]...)
}

// gifFile is a GIF of so many small frames on a canvas of that size.
func gifFile(t *testing.T, width, height, frames int) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{1},
		Config: image.Config{ColorModel: frame.Palette, Width: width, Height: height},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The frame is what lies between the first extension and the trailer.
	data := b.Bytes()
	start := bytes.Index(data, []byte{0x2c, 0, 0, 0, 0})
	one := data[start : len(data)-1]
	return append(append(bytes.Clone(data[:start]), bytes.Repeat(one, frames)...), 0x3b)
}

// nio-bot 90: orientation was ignored, so that size and thumbnail lay on their side.
func TestOrientationOfAFile(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	for orientation := byte(1); orientation <= 8; orientation++ {
		data := turnedJPEG(t, 1600, 1000, orientation)
		p := must(attachment.Of(attachment.Bytes("photo.jpg", data)).Prepare(deadline(t), h.repo))(t)
		defer p.Close()
		want := [4]int{1600, 1000, 800, 500}
		if orientation >= 5 {
			want = [4]int{1000, 1600, 375, 600}
		}
		if got := [4]int{p.Width, p.Height, p.Thumbnail.Width, p.Thumbnail.Height}; got != want {
			t.Errorf("%d: got %v, want %v", orientation, got, want)
		}
	}
}

func TestAnimatedPicture(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	for _, tt := range []struct {
		frames int
		want   bool
	}{{1, false}, {2, true}} {
		content := must(attachment.Of(attachment.Bytes("a.gif", gifFile(t, 1000, 800, tt.frames))).
			Content(deadline(t), h.repo, false))(t)
		info := fields(t, content)["info"].(map[string]any)
		stable, _ := info["is_animated"].(bool)
		if info["org.matrix.msc4230.is_animated"] != tt.want || stable != tt.want {
			t.Errorf("%d frames: got %v", tt.frames, info)
		}
		// The thumbnail is a still picture.
		if thumbnail := content.Info.ThumbnailInfo; thumbnail.MimeType == "image/gif" || thumbnail.Width != 750 {
			t.Errorf("thumbnail is %+v", thumbnail)
		}
	}
}

// nio-bot 89: durations were documented in seconds, and sent as what they were given.
func TestDurationIsInMilliseconds(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	data := []byte("RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00")
	data = append(data, "data"...)
	data = binary.LittleEndian.AppendUint32(data, 24_000)
	data = append(data, noise(24_000)...)
	p := must(attachment.Of(attachment.Bytes("beep.wav", data)).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if p.Kind != attachment.KindAudio || p.Duration != 1500*time.Millisecond || len(p.Waveform) != 100 {
		t.Errorf("got %+v", p)
	}
	content := must(p.Upload(deadline(t), h.repo, false))(t)
	if content.Info.Duration != 1500 || content.MSC1767Audio.Duration != 1500 {
		t.Errorf("got %+v, %+v", content.Info, content.MSC1767Audio)
	}
	if info := must(attachment.Parse(content))(t); info.Duration != 1500*time.Millisecond {
		t.Errorf("received as %v", info.Duration)
	}
}

func TestWarning(t *testing.T) {
	var log bytes.Buffer
	var warned []string
	h := newHome(t, fakehs.Options{},
		attachment.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		attachment.WithWarning(func(_ context.Context, p *attachment.Prepared) {
			warned = append(warned, p.Name+": "+p.Warning)
		}))
	tiff := []byte("II\x2a\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, source := range []attachment.Source{
		attachment.Bytes("scan.tiff", tiff), attachment.Bytes("a.png", pngFile(t, 3, 3)),
	} {
		p := must(attachment.Of(source).Prepare(deadline(t), h.repo))(t)
		_ = p.Close()
	}
	if len(warned) != 1 || !strings.HasPrefix(warned[0], "scan.tiff: ") || !strings.Contains(warned[0], "TIFF") ||
		strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("warned of %q, and logged %s", warned, log.String())
	}
}

func TestPictureThatIsTooLargeToDecode(t *testing.T) {
	for _, tt := range []struct {
		limit int64
		want  bool
	}{{4*900*900 - 1, false}, {4 * 900 * 900, true}} {
		h := newHome(t, fakehs.Options{}, attachment.WithMaxPicture(tt.limit))
		p := must(attachment.Of(attachment.Bytes("a.png", pngFile(t, 900, 900))).Prepare(deadline(t), h.repo))(t)
		_ = p.Close()
		if (p.Thumbnail != nil) != tt.want || (p.Blurhash != "") != tt.want || p.Width != 900 {
			t.Errorf("%d bytes: got %+v", tt.limit, p)
		}
	}
}

// Files that are small and claim to be enormous are sent as they are, and cost next to nothing.
func TestBombs(t *testing.T) {
	huge := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x06\x00\x00\x00")
	huge = binary.BigEndian.AppendUint32(huge, crc32.ChecksumIEEE(huge[12:]))
	huge = append(huge, "\x00\x00\x10\x00IDATx\x9c"...)
	huge = append(huge, make([]byte, 4096)...)
	million := gifFile(t, 4, 4, 1_000_000)
	h := newHome(t, fakehs.Options{})
	for name, data := range map[string][]byte{
		"PNG of 60000 × 60000": huge, "GIF of a million frames": million, "GIF of 60000 × 60000": gifFile(t, 60000, 60000, 2),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			p := must(attachment.Of(attachment.Bytes("bomb", data)).Prepare(deadline(t), h.repo))(t)
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			defer p.Close()
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%v, %d KiB", took, allocated>>10)
			// Without load it takes milliseconds.
			if allocated > 16<<20 || took > time.Minute || p.Kind != attachment.KindImage || p.Thumbnail != nil {
				t.Errorf("took %v and %d bytes: %+v", took, allocated, p)
			}
		})
	}
}
