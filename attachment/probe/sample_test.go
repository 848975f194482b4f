package probe_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// sample is a small file and what is to be found in it. Warnings have a test of their own.
type sample struct {
	name string
	data []byte
	want probe.Info
}

// samples are all of them. They are built from the figures that they are compared with.
var samples = sync.OnceValue(func() []sample {
	var list []sample
	for _, more := range [][]sample{
		imageSamples(), soundSamples(), oggSamples(), movieSamples(), heifSamples(), matroskaSamples(), otherSamples(),
	} {
		list = append(list, more...)
	}
	return list
})

// otherSamples are files that no parser looks into.
func otherSamples() []sample {
	return []sample{
		{"empty", nil, probe.Info{MIME: "application/octet-stream"}},
		{"one-byte", []byte{0}, probe.Info{MIME: "application/octet-stream"}},
		{"note.txt", []byte("Good day.\n"), probe.Info{MIME: "text/plain"}},
		{"data.json", []byte(`{"a": [1, 2]}`), probe.Info{MIME: "application/json"}},
		{"paper.pdf", []byte("%PDF-1.7\n"), probe.Info{MIME: "application/pdf"}},
		{"nested.zip", nestedZip(), probe.Info{MIME: "application/zip"}},
		{"project.psd", []byte("8BPS\x00\x01\x00\x00\x00\x00\x00\x00"), probe.Info{MIME: "image/vnd.adobe.photoshop"}},
		{"no-icon.tga", append([]byte{0, 0, 2, 0}, make([]byte, 40)...), probe.Info{MIME: "application/octet-stream"}},
		{
			"live.ts", bytes.Repeat(append([]byte("G"), make([]byte, 187)...), 5),
			probe.Info{MIME: "video/mp2t", Kind: probe.Video},
		},
		{"sound.caf", []byte("caff\x00\x01\x00\x00desc"), probe.Info{MIME: "audio/x-caf", Kind: probe.Audio}},
		{"picture.jxl", []byte("\xff\x0a\xfa\x7f"), probe.Info{MIME: "image/jxl", Kind: probe.Image}},
	}
}

// nestedZip is an archive in an archive.
func nestedZip() []byte {
	var data []byte
	for range 2 {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		w, err := z.Create("inner.zip")
		must(err)
		_, err = w.Write(data)
		must(err)
		must(z.Close())
		data = out.Bytes()
	}
	return data
}

func read(t testing.TB, data []byte, opts ...probe.Option) (probe.Info, error) {
	t.Helper()
	return probe.Read(t.Context(), bytes.NewReader(data), int64(len(data)), opts...)
}

// TestRead is nio-bot 90 and 91 too: the content decides, whatever the file is read from, and EXIF counts.
func TestRead(t *testing.T) {
	list := samples()
	if len(list) < 45 {
		t.Errorf("%d samples are too few", len(list))
	}
	for _, tt := range list {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(t, tt.data)
			if err != nil {
				t.Error(err)
			}
			compare(t, got, tt.want)
		})
	}
}

// compare leaves warnings out, and allows for what rounding does to a duration.
func compare(t *testing.T, got, want probe.Info) {
	t.Helper()
	if d := got.Duration - want.Duration; d > time.Microsecond || d < -time.Microsecond {
		t.Errorf("duration %v, want %v", got.Duration, want.Duration)
	}
	if got.MIME != want.MIME || got.Kind != want.Kind {
		t.Errorf("%s (%v), want %s (%v)", got.MIME, got.Kind, want.MIME, want.Kind)
	}
	if got.Width != want.Width || got.Height != want.Height || got.Orientation != want.Orientation {
		t.Errorf("%d × %d turned by %d, want %d × %d turned by %d",
			got.Width, got.Height, got.Orientation, want.Width, want.Height, want.Orientation)
	}
	if got.Animated != want.Animated || got.Alpha != want.Alpha {
		t.Errorf("animated %v, alpha %v; want %v, %v", got.Animated, got.Alpha, want.Animated, want.Alpha)
	}
	if len(got.Codecs) != len(want.Codecs) {
		t.Fatalf("codecs %q, want %q", got.Codecs, want.Codecs)
	}
	for i, codec := range want.Codecs {
		if got.Codecs[i] != codec {
			t.Errorf("codecs %q, want %q", got.Codecs, want.Codecs)
		}
	}
}

// TestACutFileIsNotUnreadable cuts every sample at every length up to some: what is left is an error of the content, or
// none.
func TestACutFileIsNotUnreadable(t *testing.T) {
	for _, tt := range samples() {
		t.Run(tt.name, func(t *testing.T) {
			for n := range min(len(tt.data), 700) {
				_, err := read(t, tt.data[:n])
				var p *probe.PartialError
				if err != nil && !errors.As(err, &p) {
					t.Fatalf("cut to %d bytes: %v", n, err)
				}
			}
		})
	}
}

func TestADamagedFileKeepsWhatIsKnown(t *testing.T) {
	data := encodeJPEG(64, 40)[:20]
	info, err := read(t, data)
	var p *probe.PartialError
	if !errors.As(err, &p) || !errors.Is(err, probe.ErrMalformed) || p.MIME != "image/jpeg" {
		t.Errorf("error %v, want a malformed JPEG", err)
	}
	if info.MIME != "image/jpeg" || info.Kind != probe.Image || info.Width != 0 || info.Orientation != 0 {
		t.Errorf("info %+v, want a JPEG without a size", info)
	}
}

// failing reads some bytes and then fails.
type failing struct {
	data []byte
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(f.data)) {
		return 0, f.err
	}
	if n := copy(p, f.data[off:]); n < len(p) {
		return n, f.err
	}
	return len(p), nil
}

func TestAReadersErrorComesBack(t *testing.T) {
	broken := errors.New("disk is gone")
	for _, data := range [][]byte{nil, encodeJPEG(64, 40)[:100], []byte("<!-- a comment")} {
		info, err := probe.Read(t.Context(), failing{data, broken}, 1<<20)
		if !errors.Is(err, broken) || info.MIME != "" {
			t.Errorf("after %d bytes: %+v and error %v, want no info and the reader's error", len(data), info, err)
		}
	}
	_, err := probe.Read(t.Context(), bytes.NewReader(encodeJPEG(9, 9)), 1<<20)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is shorter than said: error %v, want an unexpected end", err)
	}
	if _, err := probe.Read(t.Context(), bytes.NewReader(nil), -1); err == nil {
		t.Error("a negative size is no error")
	}
}

// TestAnAbsurdSizeIsNone keeps products of sides from overflowing.
func TestAnAbsurdSizeIsNone(t *testing.T) {
	wide := bytes.Clone(encodePNG(drawing(3, 2)))
	binary.BigEndian.PutUint32(wide[16:], 1<<31-1)
	info, err := read(t, wide)
	if err != nil || info.Width != 0 || info.Height != 0 || info.Orientation != 0 {
		t.Errorf("%+v and error %v, want no size", info, err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := probe.Read(ctx, bytes.NewReader(encodeJPEG(9, 9)), 600); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
