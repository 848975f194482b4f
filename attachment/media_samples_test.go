package attachment_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// studio makes media with the ffmpeg that is installed.
type studio struct {
	t       *testing.T
	program string
	dir     string
}

// newStudio skips the test where there is no ffmpeg.
func newStudio(t *testing.T) studio {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("SKIPPED: ffmpeg is not installed, so that nothing shows that it does what it is asked for")
	}
	return studio{t, path, t.TempDir()}
}

// home is a homeserver whose user's repository has ffmpeg.
func (s studio) home() *home {
	s.t.Helper()
	return newHome(s.t, fakehs.Options{}, attachment.WithFFmpeg(s.program))
}

// make runs ffmpeg, and gives the path of what it wrote. An encoder that it lacks skips the test.
func (s studio) make(name string, args ...string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	args = slices.Concat([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y"}, args, []string{"file:" + path})
	out, err := exec.CommandContext(ctx, s.program, args...).CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("Unknown encoder")):
		s.t.Skipf("SKIPPED: this ffmpeg has not the encoder for %s", name)
	case err != nil:
		s.t.Fatalf("make %s: %v: %s", name, err, out)
	}
	return path
}

func (s studio) read(path string) []byte {
	s.t.Helper()
	return must(os.ReadFile(path))(s.t)
}

// write puts bytes into a file of that name.
func (s studio) write(name string, data []byte) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// flag is a picture of 640 by 360 pixels: white, with a red corner at its upper left and a blue one at its upper right.
const flag = "color=white:s=640x360:r=25:d=1,drawbox=0:0:160:90:red:t=fill,drawbox=480:0:160:90:blue:t=fill"

// film has that picture, scaled to a size.
func film(size string) []string {
	return []string{"-f", "lavfi", "-i", flag + ",scale=" + size + ":flags=neighbor,setsar=1"}
}

// speech is a second and a half of silence, and as much of a tone.
var speech = []string{"-f", "lavfi", "-i", "aevalsrc='0.8*sin(2*PI*440*t)*gte(t,1.5)':s=44100:d=3"}

// matrices turn what is stored the way that an EXIF orientation does (ISO/IEC 14496-12, 6.2.2).
var matrices = [9][4]int32{
	{}, {1, 0, 0, 1}, {-1, 0, 0, 1}, {-1, 0, 0, -1}, {1, 0, 0, -1}, {0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, -1, 0}, {0, -1, 1, 0},
}

// turn writes the matrix of an orientation into the header of an MP4's first track.
func turn(t *testing.T, film []byte, orientation int) []byte {
	t.Helper()
	film = bytes.Clone(film)
	at := bytes.Index(film, []byte("tkhd"))
	if at < 0 {
		t.Fatal("the film has no track")
	}
	matrix := film[at+4+40:]
	for i, cell := range []int{0, 1, 3, 4} {
		binary.BigEndian.PutUint32(matrix[4*cell:], uint32(matrices[orientation][i]<<16))
	}
	return film
}
