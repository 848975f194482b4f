package attachment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// fakeTool is a program that stands in for ffmpeg: a script that notes how it was called and answers by what it is
// asked for.
type fakeTool struct {
	path  string
	notes string
}

func newFakeTool(t *testing.T, still, opus, samples []byte, rest string) fakeTool {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the script needs a POSIX shell")
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"still": still, "opus": opus, "samples": samples} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
echo "$*" >> '%[1]s/notes'
env >> '%[1]s/notes'
%[2]s
case "$*" in
*libopus*) cat '%[1]s/opus' ;;
*s16le*) cat '%[1]s/samples' ;;
*) cat '%[1]s/still' ;;
esac
`, dir, rest)
	path := filepath.Join(dir, "ffmpeg")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return fakeTool{path, filepath.Join(dir, "notes")}
}

func (f fakeTool) seen(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(f.notes)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// mp4 is the beginning of one, by which it is known.
func mp4() []byte {
	return append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), noise(900)...)
}

// oggOpus is the first page of Opus in Ogg.
func oggOpus() []byte {
	head := []byte("OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00")
	page := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	return append(append(page, 1, byte(len(head))), head...)
}

// nio-bot 86: a video's thumbnail never worked; and 92: ffmpeg could run for ever.
func TestStillOfAVideo(t *testing.T) {
	t.Setenv("MATRIX_TOKEN", "secret")
	tool := newFakeTool(t, pngFile(t, 640, 360), nil, nil, "")
	h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
	path := filepath.Join(t.TempDir(), "-i evil.mp4")
	if err := os.WriteFile(path, mp4(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]attachment.Source{
		"path": attachment.Path(path), "bytes": attachment.Bytes("clip.mp4", mp4()),
	} {
		p := must(attachment.Of(source).Prepare(deadline(t), h.repo))(t)
		defer p.Close()
		if p.Kind != attachment.KindVideo || p.Thumbnail == nil || p.Thumbnail.Width != 640 ||
			p.Thumbnail.MIME != "image/jpeg" || len(p.Blurhash) != 28 {
			t.Errorf("%s: got %+v", name, p)
		}
	}
	seen := tool.seen(t)
	if !strings.Contains(seen, "-protocol_whitelist file -f mov ") || !strings.Contains(seen, "-nostdin") ||
		!strings.Contains(seen, " -i file:/") ||
		strings.Contains(seen, "secret") {
		t.Errorf("it was called like this: %s", seen)
	}
	p := must(attachment.Of(attachment.Path(path), attachment.NoThumbnail()).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if p.Thumbnail != nil || p.Blurhash == "" {
		t.Errorf("without a thumbnail: got %+v", p)
	}
}

func TestToolThatFails(t *testing.T) {
	for name, rest := range map[string]string{
		"says so":      "echo 'moov atom not found' >&2; exit 1",
		"gives noise":  "echo noise; exit 0",
		"gives no end": "exec cat /dev/zero",
	} {
		tool := newFakeTool(t, nil, nil, nil, rest)
		h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
		p := must(attachment.Of(attachment.Bytes("clip.mp4", mp4())).Prepare(deadline(t), h.repo))(t)
		if p.Thumbnail != nil || p.Blurhash != "" || p.MIME != "video/mp4" {
			t.Errorf("%s: got %+v", name, p)
		}
		_ = p.Close()
		if name != "says so" {
			continue
		}
		song := attachment.Bytes("song.mp3", []byte("ID3\x03\x00\x00\x00\x00\x00\x00"))
		if _, err := attachment.Voice(song).Prepare(deadline(t), h.repo); err == nil ||
			!strings.Contains(err.Error(), "moov atom not found") {
			t.Errorf("%s: voice got %v", name, err)
		}
	}
}

// What is no video by its content is not given to ffmpeg, which would follow a playlist to other files.
func TestToolIsNotAskedForPlaylists(t *testing.T) {
	tool := newFakeTool(t, pngFile(t, 640, 360), nil, nil, "")
	h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
	playlist := []byte("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
	p := must(attachment.Video(attachment.Bytes("clip.mp4", playlist)).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if seen := tool.seen(t); seen != "" || p.Thumbnail != nil {
		t.Errorf("it was called like this: %s", seen)
	}
}

func TestToolEndsWithTheContext(t *testing.T) {
	tool := newFakeTool(t, nil, nil, nil, "")
	if err := os.WriteFile(tool.path, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
	ctx, cancel := context.WithTimeout(deadline(t), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := attachment.Of(attachment.Bytes("clip.mp4", mp4())).Prepare(ctx, h.repo)
	// Its own limit is 20 seconds.
	if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took > 15*time.Second {
		t.Errorf("got %v after %v", err, took)
	}
}

func TestVoice(t *testing.T) {
	loud := bytes.Repeat([]byte{0xff, 0x7f}, 400)
	tool := newFakeTool(t, nil, oggOpus(), append(make([]byte, 800), loud...), "")
	h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
	song := append([]byte("ID3\x03\x00\x00\x00\x00\x00\x00"), noise(500)...)
	content := must(attachment.Voice(attachment.Bytes("song.mp3", song)).Content(deadline(t), h.repo, true))(t)
	got, info := read(t, h.repo, content)
	if !bytes.Equal(got, oggOpus()) || info.Kind != attachment.KindVoice || info.Name != "song.ogg" ||
		info.MIME != "audio/ogg" || len(info.Waveform) != 100 || info.Waveform[10] != 0 || info.Waveform[90] != 1024 {
		t.Errorf("got %d bytes, %+v", len(got), info)
	}
	wire := fields(t, content)
	if wire["msgtype"] != "m.audio" || wire["org.matrix.msc3245.voice"] == nil || wire["org.matrix.msc1767.audio"] == nil {
		t.Errorf("got %v", wire)
	}
	// A voice message that is sent on stays one, even where there is no ffmpeg.
	other := newHome(t, fakehs.Options{})
	direct := must(attachment.Voice(attachment.Bytes("v.ogg", oggOpus())).Content(deadline(t), other.repo, false))(t)
	direct.MSC1767Audio.Waveform, direct.MSC1767Audio.Duration = []int{5, 6}, 7000
	again := must(attachment.Of(attachment.Message(direct)).Content(deadline(t), other.repo, true))(t)
	if again.MSC3245Voice == nil || len(again.MSC1767Audio.Waveform) != 2 || again.MSC1767Audio.Duration != 7000 {
		t.Errorf("sent on, it is %v", fields(t, again))
	}
	_, err := attachment.Voice(attachment.Bytes("song.mp3", song)).Prepare(deadline(t), other.repo)
	if !errors.Is(err, attachment.ErrNoTool) {
		t.Errorf("without ffmpeg: got %v", err)
	}
}

// What has become other bytes is uploaded, though the server has those that it was made of.
func TestConvertedFileOfTheServerIsUploaded(t *testing.T) {
	tool := newFakeTool(t, nil, oggOpus(), nil, "")
	h := newHome(t, fakehs.Options{}, attachment.WithFFmpeg(tool.path))
	song := append([]byte("ID3\x03\x00\x00\x00\x00\x00\x00"), noise(500)...)
	first := must(attachment.Audio(attachment.Bytes("song.mp3", song)).Content(deadline(t), h.repo, false))(t)
	voice := must(attachment.Voice(attachment.Message(first)).Content(deadline(t), h.repo, false))(t)
	if got, _ := read(t, h.repo, voice); !bytes.Equal(got, oggOpus()) {
		t.Errorf("got %d bytes", len(got))
	}
}
