package attachment

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix"
)

// realTool is a repository with the ffmpeg that is installed, and its folder of temporary files.
func realTool(t *testing.T) (*Repository, string) {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("SKIPPED: ffmpeg is not installed, so that nothing shows that it ends when it is told to")
	}
	dir := t.TempDir()
	return NewRepository(&mautrix.Client{}, WithFFmpeg(path), WithTempDir(dir)), dir
}

// hours is a WAV of three days of silence, which takes next to no room and long to convert.
func hours(t *testing.T) string {
	t.Helper()
	const size = 1 << 31
	head := wavFile(func(chunk []byte) []byte {
		copy(chunk[4:], "\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00") // 8000 Hz, 8 bits
		return chunk
	}, nil)
	copy(head[len(head)-4:], "\x00\x00\x00\x7f")
	path := filepath.Join(t.TempDir(), "hours.wav")
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skipf("the file system has no sparse files: %v", err)
	}
	return path
}

// writerFunc is a writer that is one function.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestFFmpegIsEnded(t *testing.T) {
	r, _ := realTool(t)
	path := hours(t)
	full := errors.New("the disk is full")
	goOn := func(context.CancelFunc) error { return nil }
	stop := func(cancel context.CancelFunc) error { cancel(); return nil }
	fail := func(context.CancelFunc) error { return full }
	for name, tt := range map[string]struct {
		limit time.Duration
		codec string
		write func(cancel context.CancelFunc) error
		want  error
	}{
		"after its time":               {time.Second, "libopus", goOn, context.DeadlineExceeded},
		"with the context":             {time.Hour, "pcm_s16le", stop, context.Canceled},
		"when its output is not taken": {time.Hour, "pcm_s16le", fail, full},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			out := writerFunc(func(p []byte) (int, error) { return len(p), tt.write(cancel) })
			done := make(chan error, 1)
			go func() {
				done <- r.run(ctx, tt.limit, nil, path, mimeWAV, out, "-vn", "-c:a", tt.codec, "-f", "matroska")
			}()
			select {
			case err := <-done:
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			case <-time.After(2 * time.Minute):
				t.Error("it goes on")
				cancel()
				<-done
			}
		})
	}
}

// What the content of a file is told by could be outwitted. Then what ffmpeg is told still holds.
func TestFFmpegFollowsNothingInAnyFormat(t *testing.T) {
	r, dir := realTool(t)
	var asked atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(net.Conn, http.ConnState) { asked.Add(1) }
	server.Start()
	defer server.Close()
	secret := filepath.Join(dir, "secret.wav") // Beside the list
	if err := os.WriteFile(secret, wavFile(nil, ramp(20_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	lists := []string{
		"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n" + server.URL + "/a.ts\n#EXT-X-ENDLIST\n",
		"ffconcat version 1.0\nfile '" + filepath.Base(secret) + "'\n",
		"ffconcat version 1.0\nfile '" + server.URL + "/a.ts'\n",
	}
	tried := map[string]bool{}
	for mime, demuxer := range demuxers {
		if tried[demuxer] {
			continue
		}
		tried[demuxer] = true
		for _, list := range lists {
			err := r.run(t.Context(), 5*time.Minute, inMemory([]byte(list)), "", mime, io.Discard,
				"-vn", "-c:a", "pcm_s16le", "-f", "s16le")
			if err == nil {
				t.Errorf("%s: it reads %q", mime, list)
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it leaves %v behind, %v", left, err)
	}
}
