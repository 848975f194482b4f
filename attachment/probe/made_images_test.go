package probe_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot/attachment/probe"
)

// madeImage is a picture that ImageMagick or ffmpeg makes at the time of the test.
type madeImage struct {
	name string
	mime string
	args string // What comes between input and output, parted by spaces, with ~ for one within

	animated, turned bool
	codecs           []string
}

// Two pictures for an animation, of 91 by 61 pixels.
const (
	opaque   = "-size 91x61 gradient:red-blue "
	twice    = "-delay 10 -size 91x61 gradient:red-blue gradient:green-white "
	seeThrou = "-size 91x61 gradient:none-blue "
)

// converted are made by ImageMagick.
var converted = []madeImage{
	{name: "plain.jpg", mime: "image/jpeg", args: opaque},
	{name: "grey.jpg", mime: "image/jpeg", args: opaque + "-colorspace Gray"},
	{name: "cmyk.jpg", mime: "image/jpeg", args: opaque + "-colorspace CMYK"},
	{name: "progressive.jpg", mime: "image/jpeg", args: opaque + "-interlace JPEG"},
	{name: "fine.jpg", mime: "image/jpeg", args: opaque + "-sampling-factor 1x1"},
	{name: "plain.png", mime: "image/png", args: opaque},
	{name: "grey.png", mime: "image/png", args: opaque + "-colorspace Gray"},
	{name: "colours.png", mime: "image/png", args: opaque + "-colors 16 PNG8:"},
	{name: "deep.png", mime: "image/png", args: opaque + "PNG48:"},
	{name: "clear.png", mime: "image/png", args: seeThrou + "PNG32:"},
	{name: "deep-clear.png", mime: "image/png", args: seeThrou + "PNG64:"},
	{name: "interlaced.png", mime: "image/png", args: opaque + "-interlace PNG"},
	{name: "still.gif", mime: "image/gif", args: opaque},
	{name: "clear.gif", mime: "image/gif", args: "-size 91x61 xc:none -fill red -draw rectangle~3,3~5,5"},
	{name: "animated.gif", mime: "image/gif", args: twice, animated: true},
	{name: "old.bmp", mime: "image/bmp", args: opaque + "BMP2:"},
	{name: "three.bmp", mime: "image/bmp", args: opaque + "BMP3:"},
	{name: "four.bmp", mime: "image/bmp", args: opaque + "BMP:"},
	{name: "colours.bmp", mime: "image/bmp", args: opaque + "-colors 16 -type Palette BMP3:"},
	{name: "little.tiff", mime: "image/tiff", args: opaque + "-define tiff:endian=lsb"},
	{name: "big.tiff", mime: "image/tiff", args: opaque + "-define tiff:endian=msb"},
	{name: "lzw.tiff", mime: "image/tiff", args: opaque + "-compress lzw"},
	{name: "zip.tiff", mime: "image/tiff", args: opaque + "-compress zip"},
	{name: "turned.tiff", mime: "image/tiff", args: opaque + "-orient right-top", turned: true},
	{name: "lossy.webp", mime: "image/webp", args: opaque + "-quality 80"},
	{name: "lossless.webp", mime: "image/webp", args: opaque + "-define webp:lossless=true"},
	{name: "clear.webp", mime: "image/webp", args: seeThrou},
	{name: "clear-lossless.webp", mime: "image/webp", args: seeThrou + "-define webp:lossless=true"},
	{name: "animated.webp", mime: "image/webp", args: twice, animated: true},
	{name: "clear-animated.webp", mime: "image/webp", args: "-delay 10 -size 91x61 xc:none xc:blue", animated: true},
	{name: "plain.heic", mime: "image/heic", args: opaque, codecs: []string{"hevc"}},
	{name: "clear.heic", mime: "image/heic", args: seeThrou, codecs: []string{"hevc"}},
	{name: "plain.avif", mime: "image/avif", args: opaque, codecs: []string{"av1"}},
	{name: "clear.avif", mime: "image/avif", args: seeThrou, codecs: []string{"av1"}},
	{name: "two.ico", mime: "image/x-icon", args: "-size 64x64 gradient:red-blue -define icon:auto-resize=32,64"},
}

const av1 = "-c:v libaom-av1 -cpu-used 8 "

// drawn are made by ffmpeg.
var drawn = []madeImage{
	{name: "one.png", mime: "image/png", args: "-frames:v 1"},
	{name: "moving.apng", mime: "image/apng", args: "-frames:v 3 -plays 0", animated: true},
	{name: "one.apng", mime: "image/png", args: "-frames:v 1 -f apng"},
	{name: "moving.gif", mime: "image/gif", args: "-frames:v 3", animated: true},
	{name: "one.gif", mime: "image/gif", args: "-frames:v 1"},
	{name: "moving.webp", mime: "image/webp", args: "-frames:v 3 -c:v libwebp_anim", animated: true},
	{name: "one.webp", mime: "image/webp", args: "-frames:v 1 -c:v libwebp"},
	{name: "lossless.webp", mime: "image/webp", args: "-frames:v 1 -c:v libwebp -lossless 1 -pix_fmt bgra"},
	{name: "one.jpg", mime: "image/jpeg", args: "-frames:v 1 -pix_fmt yuvj420p"},
	{name: "one.bmp", mime: "image/bmp", args: "-frames:v 1"},
	{name: "one.tiff", mime: "image/tiff", args: "-frames:v 1"},
	{name: "still.avif", mime: "image/avif", args: "-frames:v 1 " + av1 + "-still-picture 1",
		codecs: []string{"av1"}},
	{name: "moving.avif", mime: "image/avif", args: "-frames:v 3 " + av1, animated: true,
		codecs: []string{"av1"}},
	{name: "deep.avif", mime: "image/avif", args: "-frames:v 1 -pix_fmt yuv420p10le " + av1 + "-still-picture 1",
		codecs: []string{"av1"}},
}

// imageMagick finds a program of ImageMagick, also where another has its name.
func imageMagick(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/" + name, name} {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		if out, err := run(t, path, "-version"); err == nil && strings.Contains(string(out), "ImageMagick") {
			return path
		}
	}
	t.Skipf("SKIPPED: ImageMagick's %s is not installed: nothing to compare with", name)
	return ""
}

// compareImage reads a picture, and has identify look at it.
func compareImage(t *testing.T, identify, path string, m madeImage) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := read(t, data)
	if err != nil {
		t.Error(err)
	}
	if m.mime == "image/apng" {
		path = "png:" + path
	}
	out, err := run(t, identify, "-format", "%w %h %A\n", path)
	if err != nil {
		t.Fatal(err)
	}
	// An icon has several sizes, and the frames of an animation may be parts of the first.
	var width, height int
	alpha := false
	for line := range strings.Lines(string(out)) {
		var w, h int
		var transparent string
		if _, err := fmt.Sscan(line, &w, &h, &transparent); err != nil {
			t.Fatalf("identify says %q", out)
		}
		width, height, alpha = max(width, w), max(height, h), alpha || transparent == "True"
	}
	want := probe.Info{MIME: m.mime, Kind: probe.Image, Width: width, Height: height, Orientation: 1, Alpha: alpha,
		Animated: m.animated, Codecs: m.codecs}
	if m.turned {
		want.Width, want.Height, want.Orientation = height, width, 6
	}
	compare(t, info, want)
}

func TestAgainstImagesOfImageMagick(t *testing.T) {
	convert, identify := imageMagick(t, "convert"), imageMagick(t, "identify")
	dir := t.TempDir()
	for _, m := range converted {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(dir, m.name)
			args := strings.Fields(m.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "~", " ")
			}
			if last := len(args) - 1; strings.HasSuffix(args[last], ":") {
				args[last] += path
			} else {
				args = append(args, path)
			}
			if _, err := run(t, convert, args...); err != nil {
				t.Skipf("SKIPPED: this ImageMagick can't make it: %v", err)
			}
			compareImage(t, identify, path, m)
		})
	}
}

func TestAgainstImagesOfFFmpeg(t *testing.T) {
	ffmpeg, identify := program(t, "ffmpeg", "FFmpeg"), imageMagick(t, "identify")
	dir := t.TempDir()
	input := strings.Fields("-nostdin -v error -y -f lavfi -i testsrc=s=91x61")
	for _, m := range drawn {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(dir, m.name)
			if _, err := run(t, ffmpeg, slices.Concat(input, strings.Fields(m.args), []string{path})...); err != nil {
				t.Skipf("SKIPPED: this ffmpeg can't make it: %v", err)
			}
			compareImage(t, identify, path, m)
		})
	}
}
