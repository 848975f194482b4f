package probe_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/niobot/niobot/attachment/probe"
)

// sane holds what is true of every answer, whatever the file.
func sane(t *testing.T, info probe.Info, err error) {
	t.Helper()
	if err != nil && !probe.Partial(err) {
		t.Errorf("error %v is not about the content", err)
	}
	if info.MIME == "" {
		t.Error("no MIME type")
	}
	if info.Width < 0 || info.Height < 0 || info.Width > 1<<24 || info.Height > 1<<24 ||
		(info.Width == 0) != (info.Height == 0) {
		t.Errorf("size of %d × %d", info.Width, info.Height)
	}
	if (info.Orientation == 0) != (info.Width == 0) || info.Orientation < 0 || info.Orientation > 8 {
		t.Errorf("orientation %d with a width of %d", info.Orientation, info.Width)
	}
	if info.Duration < 0 || info.Duration > probe.MaxDuration {
		t.Errorf("duration %v", info.Duration)
	}
	for i, codec := range info.Codecs {
		printable := !slices.ContainsFunc([]byte(codec), func(c byte) bool { return c < ' ' || c > '~' })
		if codec == "" || !printable || slices.Contains(info.Codecs[:i], codec) {
			t.Errorf("codecs %q", info.Codecs)
		}
	}
}

// FuzzRead finds the format itself.
func FuzzRead(f *testing.F) {
	for _, s := range samples() {
		if len(s.data) < 64<<10 {
			f.Add(s.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := read(t, data)
		var p *probe.PartialError
		if err != nil && !errors.As(err, &p) {
			t.Errorf("error %v is no partial one", err)
		}
		sane(t, info, err)
		again, _ := read(t, data)
		if again.MIME != info.MIME || again.Width != info.Width || again.Duration != info.Duration {
			t.Errorf("%+v, and then %+v", info, again)
		}
	})
}

// fuzzFormat feeds one parser, with the samples of its format as seeds.
func fuzzFormat(f *testing.F, mime string, starts ...string) {
	for _, s := range samples() {
		ours := slices.ContainsFunc(starts, func(start string) bool {
			return len(s.data) >= 12 && bytes.Contains(s.data[:12], []byte(start))
		})
		if ours && len(s.data) < 64<<10 {
			f.Add(s.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := probe.ReadAs(mime, data)
		sane(t, info, err)
	})
}

func FuzzJPEG(f *testing.F)     { fuzzFormat(f, "image/jpeg", "\xff\xd8") }
func FuzzPNG(f *testing.F)      { fuzzFormat(f, "image/png", "PNG") }
func FuzzGIF(f *testing.F)      { fuzzFormat(f, "image/gif", "GIF8") }
func FuzzWebP(f *testing.F)     { fuzzFormat(f, "image/webp", "WEBP") }
func FuzzBMP(f *testing.F)      { fuzzFormat(f, "image/bmp", "BM") }
func FuzzTIFF(f *testing.F)     { fuzzFormat(f, "image/tiff", "II*", "MM\x00*") }
func FuzzIcon(f *testing.F)     { fuzzFormat(f, "image/x-icon", "\x00\x00\x01\x00") }
func FuzzSVG(f *testing.F)      { fuzzFormat(f, "image/svg+xml", "<") }
func FuzzISO(f *testing.F)      { fuzzFormat(f, "application/mp4", "ftyp", "moov") }
func FuzzMatroska(f *testing.F) { fuzzFormat(f, "video/x-matroska", "\x1aE\xdf\xa3") }
func FuzzOgg(f *testing.F)      { fuzzFormat(f, "application/ogg", "OggS") }
func FuzzMP3(f *testing.F)      { fuzzFormat(f, "audio/mpeg", "ID3", "\xff\xfb") }
func FuzzADTS(f *testing.F)     { fuzzFormat(f, "audio/aac", "\xff\xf1") }
func FuzzFLAC(f *testing.F)     { fuzzFormat(f, "audio/flac", "fLaC") }
func FuzzWAV(f *testing.F)      { fuzzFormat(f, "audio/wav", "WAVE") }
