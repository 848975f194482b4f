package attachment

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/webp"
)

// memoryFile is a file of bytes.
type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

func inMemory(data []byte) file { return memoryFile{bytes.NewReader(data)} }

// photo is a picture with gradients, edges and noise, the same for the same seed.
func photo(width, height int, seed uint64) *image.RGBA {
	random := rand.New(rand.NewPCG(seed, 2))
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	a, b, c := random.Float64()*6, random.Float64()*6, random.Float64()*6
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			noise := float64(random.IntN(16))
			picture.SetRGBA(x, y, color.RGBA{
				R: uint8(120 + 110*math.Sin(a*u+v) + noise), G: uint8(120 + 110*math.Sin(b*v+a) + noise),
				B: uint8(120 + 110*math.Cos(c*u*v+b) + noise), A: 255,
			})
		}
	}
	return picture
}

func jpegOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decodeThumbnail decodes it and checks what it says of itself.
func decodeThumbnail(t *testing.T, thumbnail *Thumbnail) image.Image {
	t.Helper()
	decode := map[string]func(*bytes.Reader) (image.Image, error){
		"image/jpeg": func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
		"image/webp": func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) },
	}[thumbnail.MIME]
	if decode == nil {
		t.Fatalf("the thumbnail is %s", thumbnail.MIME)
	}
	picture, err := decode(bytes.NewReader(thumbnail.Data))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size != image.Pt(thumbnail.Width, thumbnail.Height) {
		t.Fatalf("the thumbnail is %v and says %d × %d", size, thumbnail.Width, thumbnail.Height)
	}
	return picture
}

// all asks for everything.
func all(orientation int, lossy bool) wanted {
	return wanted{orientation: orientation, lossy: lossy, thumbnail: thumbnailIfLarge, blurhash: true}
}

func TestThumbnailFits(t *testing.T) {
	for _, tt := range []struct {
		width, height int
		w, h          int // 0 for none
	}{
		{800, 600, 0, 0},
		{600, 600, 0, 0},
		{801, 600, 800, 599},
		{800, 601, 799, 600},
		{1600, 1200, 800, 600},
		{4000, 3000, 800, 600},
		{3000, 4000, 450, 600},
		{1000, 100, 800, 80},
		{20000, 3, 800, 1},
		{3, 20000, 1, 600},
		{900, 1, 800, 1},
	} {
		t.Run(fmt.Sprintf("%dx%d", tt.width, tt.height), func(t *testing.T) {
			made, err := previewOf(image.NewYCbCr(image.Rect(0, 0, tt.width, tt.height), image.YCbCrSubsampleRatio420),
				all(1, true))
			if err != nil {
				t.Fatal(err)
			}
			if tt.w == 0 {
				if made.thumbnail != nil {
					t.Error("there is a thumbnail")
				}
			} else if decodeThumbnail(t, made.thumbnail); made.thumbnail.Width != tt.w || made.thumbnail.Height != tt.h {
				t.Errorf("got %d × %d, want %d × %d", made.thumbnail.Width, made.thumbnail.Height, tt.w, tt.h)
			}
			if len(made.blurhash) != 28 {
				t.Errorf("blurhash is %q", made.blurhash)
			}
		})
	}
}

// models are the same picture in every model that decoders give.
func models(picture *image.RGBA) map[string]image.Image {
	b := picture.Bounds()
	made := map[string]image.Image{"rgba": picture}
	for name, dst := range map[string]draw.Image{
		"nrgba": image.NewNRGBA(b), "rgba64": image.NewRGBA64(b), "nrgba64": image.NewNRGBA64(b), "cmyk": image.NewCMYK(b),
	} {
		draw.Draw(dst, b, picture, b.Min, draw.Src)
		made[name] = dst
	}
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		dst := image.NewYCbCr(b, ratio)
		for y := range b.Dy() {
			for x := range b.Dx() {
				c := picture.RGBAAt(x, y)
				luma, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
				dst.Y[dst.YOffset(x, y)], dst.Cb[dst.COffset(x, y)], dst.Cr[dst.COffset(x, y)] = luma, cb, cr
			}
		}
		made[ratio.String()] = dst
	}
	return made
}

func TestReduceAveragesInEveryModel(t *testing.T) {
	// Smooth, so that samples of colour that four pixels share make no difference.
	picture := image.NewRGBA(image.Rect(0, 0, 403, 301))
	for y := range 301 {
		for x := range 403 {
			picture.SetRGBA(x, y, color.RGBA{uint8(x / 2), uint8(y / 2), uint8((x + y) / 4), 255})
		}
	}
	for name, model := range models(picture) {
		t.Run(name, func(t *testing.T) {
			for _, size := range []image.Point{{403, 301}, {200, 150}, {100, 75}, {57, 41}, {1, 1}} {
				got := reduce(model, size.X, size.Y)
				if got.Rect.Size() != size {
					t.Fatalf("got %v, want %v", got.Rect.Size(), size)
				}
				for _, at := range []image.Point{{size.X / 2, size.Y / 2}, {size.X / 4, size.Y / 4}} {
					u := (float64(at.X) + 0.5) / float64(size.X)
					v := (float64(at.Y) + 0.5) / float64(size.Y)
					want := picture.RGBAAt(int(u*403), int(v*301))
					is := got.RGBAAt(at.X, at.Y)
					if far(is.R, want.R) || far(is.G, want.G) || far(is.B, want.B) || is.A != 255 {
						t.Errorf("%v at %v is %v, want about %v", size, at, is, want)
					}
				}
			}
		})
	}
}

func far(a, b uint8) bool { return a > b+6 || b > a+6 }

func TestReduceOfAPartOfAPicture(t *testing.T) {
	for name, model := range models(photo(97, 83, 1)) {
		part := model.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(13, 11, 92, 78))
		got := reduce(part, 20, 17)
		whole := image.NewRGBA(image.Rect(0, 0, 79, 67))
		draw.Draw(whole, whole.Rect, part, part.Bounds().Min, draw.Src)
		want := reduce(whole, 20, 17)
		for y := range 17 {
			for x := range 20 {
				a, b := got.RGBAAt(x, y), want.RGBAAt(x, y)
				if difference := math.Abs(float64(a.G) - float64(b.G)); difference > 24 {
					t.Fatalf("%s at %d,%d: %v, want about %v", name, x, y, a, b)
				}
			}
		}
	}
}

func TestTransparencyIsKeptAndColoursDoNotBleed(t *testing.T) {
	logo := image.NewNRGBA(image.Rect(0, 0, 1600, 1200))
	for y := range 1200 {
		for x := range 1600 {
			// What can't be seen is bright green.
			c := color.NRGBA{0, 255, 0, 0}
			if x >= 800 {
				c = color.NRGBA{200, 0, 0, 255}
			}
			logo.SetNRGBA(x, y, c)
		}
	}
	made, err := previewOf(logo, all(1, false))
	if err != nil {
		t.Fatal(err)
	}
	got := decodeThumbnail(t, made.thumbnail)
	if made.thumbnail.MIME != "image/webp" {
		t.Errorf("the thumbnail is %s", made.thumbnail.MIME)
	}
	for _, at := range []image.Point{{100, 100}, {399, 300}, {400, 300}, {700, 500}} {
		r, g, b, a := got.At(at.X, at.Y).RGBA()
		want := uint32(0)
		if at.X >= 400 {
			want = 0xffff
		}
		if a != want || g != 0 || b != 0 || (r > 0) != (a > 0) {
			t.Errorf("at %v: %x %x %x %x", at, r, g, b, a)
		}
	}
}

func TestSmallerEncodingIsTaken(t *testing.T) {
	colours := color.Palette{color.White, color.Black, color.RGBA{200, 0, 0, 255}}
	chart := image.NewPaletted(image.Rect(0, 0, 1600, 1200), colours)
	draw.Draw(chart, image.Rect(400, 400, 800, 800), image.NewUniform(color.Black), image.Point{}, draw.Src)
	noisy := photo(1600, 1200, 7)
	for _, tt := range []struct {
		name    string
		picture image.Image
		want    string
	}{{"chart", chart, "image/webp"}, {"photo", noisy, "image/jpeg"}} {
		made, err := previewOf(tt.picture, wanted{thumbnail: thumbnailIfLarge})
		if err != nil {
			t.Fatal(err)
		}
		decodeThumbnail(t, made.thumbnail)
		if made.thumbnail.MIME != tt.want || made.blurhash != "" {
			t.Errorf("%s is %s with the blurhash %q", tt.name, made.thumbnail.MIME, made.blurhash)
		}
	}
}

// nio-bot 90: the thumbnail ignored the EXIF orientation.
func TestOrientationIsApplied(t *testing.T) {
	// The upright picture has a red corner at its upper left and a blue one at its upper right.
	upright := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	draw.Draw(upright, upright.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	red, blue := image.NewUniform(color.RGBA{255, 0, 0, 255}), image.NewUniform(color.RGBA{0, 0, 255, 255})
	draw.Draw(upright, image.Rect(0, 0, 300, 300), red, image.Point{}, draw.Src)
	draw.Draw(upright, image.Rect(900, 0, 1200, 300), blue, image.Point{}, draw.Src)
	// A camera stores what the orientation turns back: the inverse of 6 is 8, each other is its own.
	inverse := map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
	var hashes []string
	for orientation := 1; orientation <= 8; orientation++ {
		stored := orient(upright, inverse[orientation])
		made, err := previewOf(stored, all(orientation, true))
		if err != nil {
			t.Fatal(err)
		}
		got := decodeThumbnail(t, made.thumbnail)
		if made.thumbnail.Width != 800 || made.thumbnail.Height != 600 {
			t.Errorf("%d: %d × %d", orientation, made.thumbnail.Width, made.thumbnail.Height)
		}
		r, _, b, _ := got.At(50, 50).RGBA()
		r2, _, b2, _ := got.At(750, 50).RGBA()
		if r < 0xe000 || b > 0x2000 || r2 > 0x2000 || b2 < 0xe000 {
			t.Errorf("%d: the corners are in the wrong place", orientation)
		}
		// A small picture has no thumbnail, and its blurhash is upright all the same.
		small, err := previewOf(orient(reduce(upright, 320, 240), inverse[orientation]), all(orientation, true))
		if err != nil || small.thumbnail != nil {
			t.Error(err, small.thumbnail)
		}
		hashes = append(hashes, made.blurhash)
		if small.blurhash[:6] != made.blurhash[:6] {
			t.Errorf("%d: small %s, large %s", orientation, small.blurhash, made.blurhash)
		}
	}
	for _, hash := range hashes[1:] {
		if hash != hashes[0] {
			t.Errorf("blurhashes differ: %q", hashes)
		}
	}
}

func TestBlurhashEqualsTheReference(t *testing.T) {
	for i := range 20 {
		width, height := 40+i*37, 900-i*41
		copied := blurhashCopy(photo(width, height, uint64(i)), 1)
		if size := copied.Rect.Size(); max(size.X, size.Y) > 32 {
			t.Fatalf("the copy is %v", size)
		}
		got, err := blurhashOf(copied)
		across, down := 4, 3
		if copied.Rect.Dy() > copied.Rect.Dx() {
			across, down = 3, 4
		}
		if want := referenceBlurhash(copied, across, down); err != nil || got != want {
			t.Errorf("%d: %q, %v, want %q", i, got, err, want)
		}
	}
}

// referenceBlurhash is the algorithm as it is described at
// https://github.com/woltapp/blurhash/blob/master/Algorithm.md, written down without regard to speed.
func referenceBlurhash(picture *image.RGBA, across, down int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
	linear := func(v uint8) float64 {
		if x := float64(v) / 255; x > 0.04045 {
			return math.Pow((x+0.055)/1.055, 2.4)
		} else {
			return x / 12.92
		}
	}
	srgb := func(v float64) int {
		v = max(0, min(1, v))
		if v <= 0.0031308 {
			return int(v*12.92*255 + 0.5)
		}
		return int((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
	}
	root := func(v float64) float64 { return math.Copysign(math.Sqrt(math.Abs(v)), v) }
	var out strings.Builder
	put := func(value, digits int) {
		for i := digits - 1; i >= 0; i-- {
			out.WriteByte(alphabet[value/int(math.Pow(83, float64(i)))%83])
		}
	}
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	var factors [][3]float64
	most := 0.0
	for j := range down {
		for i := range across {
			var sum [3]float64
			for x := range width {
				for y := range height {
					c := picture.RGBAAt(x, y)
					basis := math.Cos(math.Pi*float64(i)*float64(x)/float64(width)) *
						math.Cos(math.Pi*float64(j)*float64(y)/float64(height))
					sum[0] += basis * linear(c.R)
					sum[1] += basis * linear(c.G)
					sum[2] += basis * linear(c.B)
				}
			}
			weight := 2.0
			if i == 0 && j == 0 {
				weight = 1
			}
			for k := range sum {
				sum[k] *= weight / float64(width*height)
				if len(factors) > 0 {
					most = max(most, math.Abs(sum[k]))
				}
			}
			factors = append(factors, sum)
		}
	}
	quantised := int(max(0, min(82, math.Floor(most*166-0.5))))
	scale := float64(quantised+1) / 166
	put(across-1+(down-1)*9, 1)
	put(quantised, 1)
	put(srgb(factors[0][0])<<16+srgb(factors[0][1])<<8+srgb(factors[0][2]), 4)
	for _, factor := range factors[1:] {
		value := 0
		for _, v := range factor {
			value = value*19 + int(max(0, min(18, math.Floor(root(v/scale)*9+9.5))))
		}
		put(value, 2)
	}
	return out.String()
}

func TestDecodeGuards(t *testing.T) {
	grey := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White})
	var many bytes.Buffer
	one := &gif.GIF{Image: []*image.Paletted{grey}, Delay: []int{1}, Config: image.Config{Width: 8, Height: 8}}
	if err := gif.EncodeAll(&many, one); err != nil {
		t.Fatal(err)
	}
	// The frame begins after the header, the screen and its colours; the trailer is the last byte.
	frames := many.Bytes()
	start := bytes.IndexByte(frames, 0x2c)
	frame := bytes.Clone(frames[start : len(frames)-1])
	million := append(bytes.Clone(frames[:start]), bytes.Repeat(frame, 1_000_000)...)
	million = append(million, 0x3b)

	for _, tt := range []struct {
		name, mime string
		data       []byte
		wantErr    bool
	}{
		{"PNG of 60000 × 60000", "image/png", hugePNG(60000, 60000), true},
		{"PNG of 2³¹-1 × 2³¹-1", "image/png", hugePNG(math.MaxInt32, math.MaxInt32), true},
		{"PNG of 20000 × 20000", "image/png", hugePNG(20000, 20000), true},
		{"GIF of a million frames", "image/gif", million, false},
		{"GIF of 11000 × 11000", "image/gif", append([]byte("GIF89a\xf8\x2a\xf8\x2a\x00\x00\x00"), frames[13:]...), true},
		{"baseline JPEG of 60000 × 60000", "image/jpeg", jpegHead(0xc0, 60000, 60000, 0x11), true},
		{"progressive JPEG of 6000 × 6000", "image/jpeg", jpegHead(0xc2, 6000, 6000, 0x11), true},
		{"no picture", "image/png", []byte("none"), true},
		{"nothing", "image/jpeg", nil, true},
		{"short GIF", "image/gif", []byte("GIF89a"), true},
		{"SVG", "image/svg+xml", []byte("<svg/>"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := decodePicture(t.Context(), inMemory(tt.data), tt.mime, DefaultMaxPicture)
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			if (err != nil) != tt.wantErr || err != nil && !errors.Is(err, ErrPicture) {
				t.Errorf("got %v", err)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; took > time.Minute || allocated > 8<<20 {
				t.Errorf("took %v and %d bytes", took, allocated)
			}
		})
	}
}

// jpegHead is the beginning of a JPEG of three components, of which the first has that sampling.
func jpegHead(frame byte, width, height uint16, sampling byte) []byte {
	data := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xc0, 0xff, 0xff, frame, 0, 17, 8}
	data = binary.BigEndian.AppendUint16(data, height)
	data = binary.BigEndian.AppendUint16(data, width)
	return append(data, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0)
}

func TestNeedOfAJPEG(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		want int64
	}{
		{"4:4:4", jpegHead(0xc0, 100, 50, 0x11), 15_000},
		{"4:2:0", jpegHead(0xc1, 100, 50, 0x22), 7500},
		{"4:2:2", jpegHead(0xc0, 100, 50, 0x21), 10_000},
		{"progressive 4:2:0", jpegHead(0xc2, 100, 50, 0x22), 37_500},
		{"of the encoder", jpegOf(t, photo(64, 32, 1)), 3072},
	} {
		if got, err := jpegNeed(bytes.NewReader(tt.data)); err != nil || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
	for _, data := range []string{
		"", "\xff\xd8", "\xff\xd8\xff\xda", "\xff\xd8\xff\xc0\x00\x00", "\xff\xd8\xff\xe0\xff\xff", "\xff\xff",
	} {
		if got, err := jpegNeed(strings.NewReader(data)); err == nil {
			t.Errorf("%q: got %d", data, got)
		}
	}
}

// hugePNG is the beginning of a PNG with that size.
func hugePNG(width, height uint32) []byte {
	data := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	data = binary.BigEndian.AppendUint32(data, width)
	data = binary.BigEndian.AppendUint32(data, height)
	data = append(data, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data[12:]))
}

func TestDecodingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := decodePicture(ctx, inMemory(jpegOf(t, photo(64, 64, 1))), "image/jpeg", DefaultMaxPicture)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFirstFrameOfAGIFIsPutInItsPlace(t *testing.T) {
	frame := image.NewPaletted(image.Rect(10, 20, 30, 40), color.Palette{color.RGBA{255, 0, 0, 255}, color.Black})
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{1},
		Config: image.Config{ColorModel: frame.Palette, Width: 64, Height: 48},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodePicture(t.Context(), inMemory(b.Bytes()), "image/gif", DefaultMaxPicture)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != image.Rect(0, 0, 64, 48) {
		t.Fatalf("got %v", got.Bounds())
	}
	_, _, _, outside := got.At(5, 5).RGBA()
	r, _, _, inside := got.At(15, 25).RGBA()
	if outside != 0 || inside != 0xffff || r != 0xffff {
		t.Errorf("outside %x, inside %x %x", outside, r, inside)
	}
}

// FuzzPicture holds decoding to its errors and to the bounds of what it makes.
func FuzzPicture(f *testing.F) {
	f.Add("image/jpeg", jpegOf(f, photo(20, 10, 1)))
	f.Add("image/png", pngOf(f, photo(20, 10, 1)))
	f.Add("image/png", hugePNG(60000, 60000))
	f.Add("image/gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))
	f.Add("image/webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8L"))
	f.Add("image/webp", animatedWebP(image.Pt(20, 10), image.Pt(4, 2), webpOf(f, photo(12, 6, 1)), nil))
	f.Fuzz(func(t *testing.T, mime string, data []byte) {
		_, _ = jpegNeed(bytes.NewReader(data))
		picture, err := decodePicture(t.Context(), inMemory(data), mime, 1<<20)
		if err != nil {
			if !errors.Is(err, ErrPicture) {
				t.Errorf("got %v", err)
			}
			return
		}
		made, err := previewOf(picture, all(6, false))
		if err != nil || made.blurhash == "" {
			t.Errorf("preview: %v", err)
		}
	})
}

func BenchmarkPreview(b *testing.B) {
	data := jpegOf(b, photo(4000, 3000, 1))
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("preview", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := previewOf(picture, all(6, true)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
