package attachment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/HugoSmits86/nativewebp"
)

// webpOf is a picture as a WebP with one chunk.
func webpOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := nativewebp.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func appendUint24(b []byte, v int) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }

// animatedWebP has a still WebP at a place of a canvas as its first frame, behind other chunks.
func animatedWebP(canvas, place image.Point, still, before []byte) []byte {
	body := still[12:] // Its picture's chunk
	if string(body[:4]) == "VP8X" {
		body = body[18:]
	}
	bits := binary.LittleEndian.Uint32(body[9:]) // A lossless picture's size
	frame := appendUint24(appendUint24(nil, place.X/2), place.Y/2)
	frame = appendUint24(appendUint24(frame, int(bits&0x3fff)), int(bits>>14&0x3fff))
	frame = append(append(frame, 100, 0, 0, 0), body...)
	data := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), webpAnimated|webpAlpha, 0, 0, 0)
	data = appendUint24(appendUint24(data, canvas.X-1), canvas.Y-1)
	data = append(data, before...)
	data = append(data, "ANIM\x06\x00\x00\x00\xff\xff\xff\xff\x00\x00ANMF"...)
	data = append(binary.LittleEndian.AppendUint32(data, uint32(len(frame))), frame...)
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	return data
}

func TestFirstFrameOfAWebPIsPutInItsPlace(t *testing.T) {
	red := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range red.Pix {
		red.Pix[i] = []uint8{255, 0, 0, 255}[i%4]
	}
	still := webpOf(t, red)
	profile := append([]byte("ICCP\x01\x01\x00\x00"), make([]byte, 258)...) // Of an odd length, and so filled up
	for _, tt := range []struct {
		name          string
		canvas, place image.Point
		need          int64
	}{
		{"whole", image.Pt(300, 200), image.Pt(0, 0), 300 * 200 * 8},
		{"part", image.Pt(1000, 700), image.Pt(100, 60), 300*200*8 + 1000*700*4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := animatedWebP(tt.canvas, tt.place, still, profile)
			if need, err := webpNeed(bytes.NewReader(data)); err != nil || need != tt.need {
				t.Errorf("it needs %d, %v, want %d", need, err, tt.need)
			}
			got, err := decodePicture(t.Context(), inMemory(data), "image/webp", tt.need)
			if err != nil || got.Bounds().Size() != tt.canvas {
				t.Fatalf("got %v, %v", got, err)
			}
			inside := image.Rectangle{Min: tt.place, Max: tt.place.Add(image.Pt(300, 200))}
			for _, p := range []image.Point{inside.Min, inside.Max.Sub(image.Pt(1, 1)), inside.Max, {0, 0}} {
				if !p.In(got.Bounds()) {
					continue
				}
				want := color.NRGBA{}
				if p.In(inside) {
					want = color.NRGBA{255, 0, 0, 255}
				}
				if c := color.NRGBAModel.Convert(got.At(p.X, p.Y)); c != want {
					t.Errorf("at %v it is %v, want %v", p, c, want)
				}
			}
			if _, err := decodePicture(t.Context(), inMemory(data), "image/webp", tt.need-1); !errors.Is(err, ErrPicture) {
				t.Errorf("with less memory: %v", err)
			}
		})
	}
}

// The samples are what libwebp makes.
func TestWebPOfTheLibrary(t *testing.T) {
	for name, animated := range map[string]bool{
		"animated.webp": true, "lossy.webp": false, "clear.webp": false, "turned.webp": false,
	} {
		data, err := os.ReadFile(filepath.Join("probe", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodePicture(t.Context(), inMemory(data), "image/webp", DefaultMaxPicture)
		if err != nil || got.Bounds().Size() != image.Pt(50, 30) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if bytes.Contains(data, []byte("ANMF")) != animated {
			t.Errorf("%s: animated is %v", name, !animated)
		}
	}
}

func TestWebPWithoutAFirstFrame(t *testing.T) {
	still := webpOf(t, photo(300, 200, 1))
	right := animatedWebP(image.Pt(300, 200), image.Point{}, still, nil)
	change := func(at int, with string) []byte {
		data := bytes.Clone(right)
		copy(data[at:], with)
		return data
	}
	frame := bytes.Index(right, []byte("ANMF"))
	for name, data := range map[string][]byte{
		"cut behind the head":          right[:30],
		"cut in a chunk":               right[:35],
		"cut in the frame's head":      right[:frame+20],
		"cut in the frame":             right[:len(right)/2],
		"no frame":                     change(frame, "NONE"),
		"frame without a picture":      change(frame+4, "\x10\x00\x00\x00"),
		"frame beyond the canvas":      change(frame+8, "\x01"),
		"frame larger than the canvas": change(frame+14, "\xff\xff\xff\xff\xff\xff"),
		"picture larger than its frame": animatedWebP(image.Pt(300, 200), image.Point{},
			append(bytes.Clone(still[:21]), append([]byte("\xff\xff\xff\x0f"), still[25:]...)...), nil),
		"too much before it": animatedWebP(image.Pt(300, 200), image.Point{}, still,
			append([]byte("ICCP\x00\x00\x50\x00"), make([]byte, 5<<20)...)),
		"a chunk of 4 GiB": animatedWebP(image.Pt(300, 200), image.Point{}, still, []byte("ICCP\xff\xff\xff\xff")),
	} {
		if got, err := decodePicture(t.Context(), inMemory(data), "image/webp", DefaultMaxPicture); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if _, err := decodePicture(t.Context(), inMemory(right), "image/webp", DefaultMaxPicture); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}
