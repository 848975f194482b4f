package probe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// encoded are the files of testdata, which are what encoders make of a plain picture and a plain tone: FFmpeg with its
// libraries, libheif and libavif. The other samples show that the parsers agree with the specifications, these that
// they agree with the world.
var encoded = []struct {
	name string
	want probe.Info
}{
	{"film.mp4", film("video/mp4", 600, "h264", "aac")},
	{"faststart.mp4", film("video/mp4", 600, "h264", "mp3")},
	{"fragmented.mp4", film("video/mp4", 800, "h264", "aac")}, // With what the encoder's delay adds
	{"indexed.mp4", film("video/mp4", 800, "h264", "aac")},
	{"hevc.mov", film("video/quicktime", 600, "hevc", "aac")},
	{"film.webm", film("video/webm", 608, "vp9", "opus")},
	{"live.webm", film("video/webm", 608, "vp8", "opus")}, // Without a length in it
	{"film.mkv", film("video/x-matroska", 600, "av1", "flac")},
	{"voice.webm", tone("audio/webm", 608*time.Millisecond, "opus")},
	{"voice.opus", tone("audio/ogg", 600*time.Millisecond, "opus")},
	{"flac.oga", tone("audio/ogg", 600*time.Millisecond, "flac")},
	{"song.flac", tone("audio/flac", 600*time.Millisecond, "flac")},
	{"song.m4a", tone("audio/mp4", 600*time.Millisecond, "aac")},
	{"song.aac", tone("audio/aac", 27*1024*time.Second/44100, "aac")},
	{"song.mp3", tone("audio/mpeg", 600*time.Millisecond, "mp3")},
	{"no-xing.mp3", tone("audio/mpeg", 24*1152*time.Second/44100, "mp3")},
	{"picture.heic", picture("image/heic", 1, "hevc")},
	{"turned.heic", picture("image/heic", 6, "hevc")},
	{"clear.heic", clear(picture("image/heic", 1, "hevc"))},
	{"picture.avif", picture("image/avif", 1, "av1")},
	{"turned.avif", picture("image/avif", 6, "av1")},
	{"clear.avif", clear(picture("image/avif", 1, "av1"))},
	{"animated.avif", animated(picture("image/avif", 1, "av1"))},
	{"lossy.webp", picture("image/webp", 1)},
	{"clear.webp", clear(picture("image/webp", 1))},
	{"turned.webp", picture("image/webp", 6)},
	{"animated.webp", animated(picture("image/webp", 1))},
	{"animated.gif", clear(animated(picture("image/gif", 1)))},
	{"progressive.jpg", picture("image/jpeg", 6)},
	{"cmyk.jpg", picture("image/jpeg", 1)},
}

func film(mime string, millis int, codecs ...string) probe.Info {
	return probe.Info{MIME: mime, Kind: probe.Video, Width: 64, Height: 48, Orientation: 1,
		Duration: time.Duration(millis) * time.Millisecond, Codecs: codecs}
}

func tone(mime string, length time.Duration, codecs ...string) probe.Info {
	return probe.Info{MIME: mime, Kind: probe.Audio, Duration: length, Codecs: codecs}
}

func picture(mime string, orientation int, codecs ...string) probe.Info {
	info := probe.Info{MIME: mime, Kind: probe.Image, Width: 50, Height: 30, Orientation: orientation, Codecs: codecs}
	if orientation >= 5 {
		info.Width, info.Height = 30, 50
	}
	return info
}

func clear(info probe.Info) probe.Info {
	info.Alpha = true
	return info
}

func animated(info probe.Info) probe.Info {
	info.Animated = true
	return info
}

func TestEncodersFiles(t *testing.T) {
	for _, tt := range encoded {
		t.Run(tt.name, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata", tt.name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			stat, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			got, err := probe.Read(t.Context(), f, stat.Size())
			if err != nil {
				t.Error(err)
			}
			compare(t, got, tt.want)
		})
	}
}

// program finds a program, or skips the test. One that doesn't do what its version option asks for is another.
func program(t *testing.T, name, says string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: nothing to compare with", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil || !bytes.Contains(out, []byte(says)) {
		t.Skipf("%s is not that of %s", path, says)
	}
	return path
}

// comparable writes what other programs can decode into files: those of testdata, and samples that are whole.
func comparable(t *testing.T, endings ...string) map[string]probe.Info {
	t.Helper()
	files := map[string]probe.Info{}
	fits := func(name string) bool { return slices.Contains(endings, filepath.Ext(name)) }
	for _, e := range encoded {
		if fits(e.name) {
			files[filepath.Join("testdata", e.name)] = e.want
		}
	}
	dir := t.TempDir()
	for _, s := range samples() {
		// The heads of WebP, HEIC and others have nothing behind them.
		if !fits(s.name) || !slices.Contains([]string{".jpg", ".png", ".gif", ".bmp", ".wav"}, filepath.Ext(s.name)) {
			continue
		}
		path := filepath.Join(dir, s.name)
		if err := os.WriteFile(path, s.data, 0o600); err != nil {
			t.Fatal(err)
		}
		files[path] = s.want
	}
	return files
}

// TestAgainstImageMagick compares sizes and frames. ImageMagick tells the size before turning, but of HEIC and AVIF.
func TestAgainstImageMagick(t *testing.T) {
	identify := program(t, "identify", "ImageMagick")
	compared := 0
	for path, want := range comparable(t, ".jpg", ".png", ".gif", ".bmp", ".webp", ".heic", ".avif") {
		out, err := exec.CommandContext(t.Context(), identify, "-format", "%w %h\n", path).Output()
		if err != nil {
			t.Logf("%s: ImageMagick was built without it: %v", path, err)
			continue
		}
		width, height := want.Width, want.Height
		if want.Orientation >= 5 && want.MIME != "image/heic" && want.MIME != "image/avif" {
			width, height = height, width
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if lines[0] != fmt.Sprintf("%d %d", width, height) {
			t.Errorf("%s: ImageMagick says %q, want %d by %d", path, lines[0], width, height)
		}
		if want.MIME == "image/gif" && (len(lines) > 1) != want.Animated {
			t.Errorf("%s: ImageMagick says %d frames, animated is %v", path, len(lines), want.Animated)
		}
		compared++
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// TestAgainstFFprobe compares sizes and durations, as far as ffprobe has one. It counts the delay of encoders for Opus,
// and of several tracks of fragments.
func TestAgainstFFprobe(t *testing.T) {
	ffprobe := program(t, "ffprobe", "FFmpeg")
	compared := 0
	endings := []string{".mp4", ".mov", ".webm", ".mkv", ".opus", ".oga", ".m4a", ".aac", ".mp3", ".flac", ".wav"}
	for path, want := range comparable(t, endings...) {
		out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-of", "json",
			"-show_entries", "format=duration:stream=width,height", path).Output()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var says struct {
			Format  struct{ Duration string }
			Streams []struct{ Width, Height int }
		}
		if err := json.Unmarshal(out, &says); err != nil {
			t.Fatal(err)
		}
		for _, stream := range says.Streams {
			if stream.Width != 0 && (stream.Width != want.Width || stream.Height != want.Height) {
				t.Errorf("%s: ffprobe says %d by %d, want %d by %d", path, stream.Width, stream.Height, want.Width, want.Height)
			}
		}
		seconds, err := strconv.ParseFloat(says.Format.Duration, 64)
		if errors.Is(err, strconv.ErrSyntax) {
			continue
		}
		if d := seconds - want.Duration.Seconds(); d > 0.21 || d < -0.03 {
			t.Errorf("%s: ffprobe says %.3f s, want %v", path, seconds, want.Duration)
		}
		compared++
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}
