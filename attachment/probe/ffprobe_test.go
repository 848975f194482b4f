package probe_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// aviFile is known to be AVI, and no more.
func aviFile() []byte { return riff("AVI ", riffChunk("LIST", []byte("hdrl"))) }

// fakeFFprobe puts a script named ffprobe into PATH, and gives the folder that it may write to. Only the system's
// tools are in PATH beside it.
func fakeFFprobe(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the script needs a shell")
	}
	dir := t.TempDir()
	script = "#!/bin/sh\ncd '" + dir + "' || exit 1\n" + script
	if err := os.WriteFile(filepath.Join(dir, "ffprobe"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
	return dir
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

const answer = `cat <<'END'
{"streams": [
	{"codec_type": "video", "codec_name": "mpeg4", "width": 640, "height": 480,
	 "side_data_list": [{"rotation": -90}]},
	{"codec_type": "audio", "codec_name": "mp3"},
	{"codec_type": "data", "codec_name": "bin"}],
 "format": {"duration": "12.345000"}}
END
`

func TestFFprobeIsAskedForWhatIsNotKnown(t *testing.T) {
	t.Setenv("MATRIX_TOKEN", "secret")
	dir := fakeFFprobe(t, `printf '%s\n' "$@" > args; env > env; cat > input; `+answer)
	got, err := read(t, aviFile(), probe.WithFFprobe(probe.FFprobe{}))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, probe.Info{
		MIME: "video/x-msvideo", Kind: probe.Video, Width: 480, Height: 640, Orientation: 6,
		Duration: 12345 * time.Millisecond, Codecs: []string{"mpeg4", "mp3"},
	})
	args := strings.Join(lines(t, filepath.Join(dir, "args")), " ")
	for _, want := range []string{"-protocol_whitelist pipe ", " -f avi ", " -i pipe:0"} {
		if !strings.Contains(args, want) {
			t.Errorf("arguments %q lack %q", args, want)
		}
	}
	for _, line := range lines(t, filepath.Join(dir, "env")) {
		if strings.Contains(line, "secret") {
			t.Errorf("the environment has %q", line)
		}
	}
	if input, err := os.ReadFile(filepath.Join(dir, "input")); err != nil || !bytes.Equal(input, aviFile()) {
		t.Errorf("input of %d bytes and error %v, want the file", len(input), err)
	}
}

func TestFFprobeTakesAPathForNothingElse(t *testing.T) {
	dir := fakeFFprobe(t, `printf '%s\n' "$@" > args; `+answer)
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"-version", "http:host", "concat:a|b", "a'; touch pwned; '"} {
		if _, err := read(t, aviFile(), probe.WithFFprobe(probe.FFprobe{Path: name})); err != nil {
			t.Fatal(err)
		}
		args := lines(t, filepath.Join(dir, "args"))
		if got, want := args[len(args)-1], "file:"+filepath.Join(here, name); got != want {
			t.Errorf("input %q, want %q", got, want)
		}
		if joined := strings.Join(args, " "); !strings.Contains(joined, "-protocol_whitelist file ") {
			t.Errorf("arguments %q allow other protocols than that of files", joined)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Error("a shell saw the name")
	}
}

func TestFFprobeIsNotAskedForWhatIsKnown(t *testing.T) {
	dir := fakeFFprobe(t, "touch asked; exit 1")
	for _, data := range [][]byte{
		encodeJPEG(9, 9), flacHead(48000, 48000), opusFile(1, 50, 0, 0, 0), []byte("text"),
		[]byte("#EXTM3U\n#EXT-X-TARGETDURATION:9\n/etc/passwd\n"), encodeJPEG(9, 9)[:30],
	} {
		_, _ = read(t, data, probe.WithFFprobe(probe.FFprobe{}))
	}
	if _, err := os.Stat(filepath.Join(dir, "asked")); err == nil {
		t.Error("it was asked")
	}
}

func TestFFprobeMayBeMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	info, err := read(t, aviFile(), probe.WithFFprobe(probe.FFprobe{}))
	if err != nil || info.MIME != "video/x-msvideo" || info.Duration != 0 {
		t.Errorf("%+v and error %v, want an AVI file of unknown length", info, err)
	}
	if _, err := read(t, isoBox("moov"), probe.WithFFprobe(probe.FFprobe{Program: "no-such-program"})); err != nil {
		t.Errorf("error %v, want none", err)
	}
}

func TestFFprobeMendsWhatIsDamaged(t *testing.T) {
	fakeFFprobe(t, "cat > input; "+answer)
	cut := join(fileType("isom"), isoBox("mdat", make([]byte, 90)))
	if _, err := read(t, cut); !errors.Is(err, probe.ErrMalformed) {
		t.Fatalf("error %v, want a malformed file", err)
	}
	info, err := read(t, cut, probe.WithFFprobe(probe.FFprobe{}))
	if err != nil || info.Width != 480 || info.Duration != 12345*time.Millisecond {
		t.Errorf("%+v and error %v, want what ffprobe says", info, err)
	}
}

func TestFFprobesFailureIsPartial(t *testing.T) {
	for name, script := range map[string]string{
		"exit":     "exit 3",
		"nonsense": "echo '[}'",
		"flood":    "while :; do echo 0123456789012345678901234567890123456789; done",
	} {
		t.Run(name, func(t *testing.T) {
			fakeFFprobe(t, script)
			info, err := read(t, aviFile(), probe.WithFFprobe(probe.FFprobe{}))
			var p *probe.PartialError
			if !errors.As(err, &p) || !errors.Is(err, probe.ErrFFprobe) || info.MIME != "video/x-msvideo" {
				t.Errorf("%+v and error %v, want what is known, and why there is no more", info, err)
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v came only from the timeout", err)
			}
		})
	}
}

// TestFFprobeIsEndedInTime is nio-bot 92: a file must not hold up the bot.
func TestFFprobeIsEndedInTime(t *testing.T) {
	dir := fakeFFprobe(t, "echo $$ > pid; exec sleep 600")
	// On a busy machine the process may be ended before it has said who it is; it gets more time then.
	for timeout := 300 * time.Millisecond; ; timeout *= 4 {
		_, err := read(t, aviFile(), probe.WithFFprobe(probe.FFprobe{Timeout: timeout}))
		if !errors.Is(err, probe.ErrFFprobe) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the timeout", err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "pid"))
		if pid, whole := strings.CutSuffix(string(data), "\n"); whole {
			if processRuns(pid) {
				t.Errorf("process %s still runs", pid)
			}
			break
		}
		if timeout > time.Minute {
			t.Fatalf("the process has not started within %s: %v", timeout, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	data := aviFile()
	_, err := probe.Read(ctx, bytes.NewReader(data), int64(len(data)), probe.WithFFprobe(probe.FFprobe{}))
	var p *probe.PartialError
	if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &p) {
		t.Errorf("error %v, want that of the caller's context", err)
	}
}

// processRuns tells whether there is a process of that number, where /proc says so.
func processRuns(pid string) bool {
	_, err := os.Stat(filepath.Join("/proc", pid))
	return err == nil
}
