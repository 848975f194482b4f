package attachment_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

func asHTTP(err error, failed *mautrix.HTTPError) bool { return errors.As(err, failed) }

func TestThereAndBack(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	files := map[string][]byte{
		"empty.bin": {}, "one.bin": {7}, "block.bin": noise(16), "memory.bin": noise(200_001),
		"disk.bin": noise(700_003), "large.bin": noise(3 << 20),
		"small.png": pngFile(t, 40, 30), "large.png": pngFile(t, 1000, 900), "large.jpg": jpegFile(t, 900, 1000),
	}
	for name, data := range files {
		for _, encrypted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/encrypted=%t", name, encrypted), func(t *testing.T) {
				ctx := deadline(t)
				content := must(attachment.Of(attachment.Bytes(name, data)).Content(ctx, h.repo, encrypted))(t)
				got, info := read(t, h.repo, content)
				if !bytes.Equal(got, data) {
					t.Errorf("got %d bytes, want %d", len(got), len(data))
				}
				if info.Name != name || info.Size != int64(len(data)) || info.Encrypted != encrypted {
					t.Errorf("got %+v", info)
				}
				stored, mime := h.Media(info.URI)
				if len(data) > 0 && encrypted == bytes.Equal(stored, data) {
					t.Error("what the server has is not as it should be")
				}
				if encrypted && mime != "application/octet-stream" {
					t.Errorf("the server was told %s", mime)
				}
				if !strings.HasPrefix(name, "large") || strings.HasSuffix(name, ".bin") {
					return
				}
				thumbnail := must(h.repo.DownloadThumbnail(ctx, content))(t)
				defer thumbnail.Close()
				small := must(io.ReadAll(thumbnail))(t)
				if len(small) != content.Info.ThumbnailInfo.Size || http.DetectContentType(small) != thumbnail.MIME {
					t.Errorf("the thumbnail has %d bytes and is %s", len(small), thumbnail.MIME)
				}
			})
		}
	}
}

// nio-bot 73: encrypted media had their URL beside the key, and the server was told the file's name.
func TestEncryptedContentIsAsTheSpecSays(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	var asked asked
	h.client.Client = &http.Client{Transport: &asked}
	h.repo = attachment.NewRepository(h.client)
	data := jpegFile(t, 1600, 1200)
	content := must(attachment.Of(attachment.Bytes("secret plans.jpg", data)).Content(deadline(t), h.repo, true))(t)
	got := fields(t, content)
	info := got["info"].(map[string]any)
	for _, file := range []any{got["file"], info["thumbnail_file"]} {
		file := file.(map[string]any)
		key := file["key"].(map[string]any)
		iv, _ := file["iv"].(string)
		hashes := file["hashes"].(map[string]any)
		if !strings.HasPrefix(fmt.Sprint(file["url"]), "mxc://localhost/") || file["v"] != "v2" || len(iv) != 22 ||
			!strings.HasSuffix(iv, "AAAAAAAAAA") || len(hashes["sha256"].(string)) != 43 ||
			key["kty"] != "oct" || key["alg"] != "A256CTR" || key["ext"] != true || len(key["k"].(string)) != 43 ||
			fmt.Sprint(key["key_ops"]) != "[encrypt decrypt]" {
			t.Errorf("file is %v", file)
		}
	}
	if fmt.Sprint(got["file"]) == fmt.Sprint(info["thumbnail_file"]) {
		t.Error("both files have one key")
	}
	for _, object := range []map[string]any{got, info} {
		for _, field := range []string{"url", "thumbnail_url"} {
			if url, ok := object[field]; ok {
				t.Errorf("there is a plain %s: %v", field, url)
			}
		}
	}
	if all := strings.Join(asked, " "); strings.Count(all, "/upload") != 2 || strings.Contains(all, "filename") {
		t.Errorf("the server was asked %s", all)
	}
}

// asked are the URLs of the requests that went through it.
type asked []string

// RoundTrip implements [http.RoundTripper].
func (a *asked) RoundTrip(request *http.Request) (*http.Response, error) {
	*a = append(*a, request.URL.String())
	return http.DefaultTransport.RoundTrip(request)
}

func TestPlainContentIsAsTheSpecSays(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	data := jpegFile(t, 1600, 1200)
	a := attachment.Of(attachment.Bytes("cat.jpg", data),
		attachment.FormattedCaption("The cat.", "<b>The cat.</b>"))
	content := must(a.Content(deadline(t), h.repo, false))(t)
	got := fields(t, content)
	info := got["info"].(map[string]any)
	thumbnail := info["thumbnail_info"].(map[string]any)
	for field, want := range map[string]any{
		"msgtype": "m.image", "body": "The cat.", "filename": "cat.jpg", "format": "org.matrix.custom.html",
		"formatted_body": "<b>The cat.</b>",
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	for field, want := range map[string]any{
		"mimetype": "image/jpeg", "size": float64(len(data)), "w": 1600.0, "h": 1200.0,
		"org.matrix.msc4230.is_animated": false, "blurhash": info["xyz.amorgan.blurhash"],
	} {
		if info[field] != want {
			t.Errorf("info.%s is %v, want %v", field, info[field], want)
		}
	}
	if len(info["blurhash"].(string)) != 28 {
		t.Errorf("blurhash is %v", info["blurhash"])
	}
	if thumbnail["w"] != 800.0 || thumbnail["h"] != 600.0 || thumbnail["mimetype"] != "image/jpeg" {
		t.Errorf("thumbnail_info is %v", thumbnail)
	}
	for _, field := range []string{"file", "thumbnail_file"} {
		if got[field] != nil || info[field] != nil {
			t.Errorf("there is a %s", field)
		}
	}
	// nio-bot 88: a duration that is not known was sent as null.
	if duration, ok := info["duration"]; ok {
		t.Errorf("the duration is %v", duration)
	}
}

func TestKindsAreForcedOrFound(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	picture, text := attachment.Bytes("a", pngFile(t, 4, 4)), attachment.Bytes("b", []byte("hello"))
	for _, tt := range []struct {
		name     string
		a        *attachment.Attachment
		want     event.MessageType
		wantName string
	}{
		{"picture by content", attachment.Of(picture), event.MsgImage, "a.png"},
		{"text by content", attachment.Of(text), event.MsgFile, "b"},
		{"picture as file", attachment.File(picture), event.MsgFile, "a"},
		{"text as picture", attachment.Image(text), event.MsgImage, "b.txt"},
		{"as sound", attachment.Audio(text), event.MsgAudio, "b.txt"},
		{"as video", attachment.Video(text, attachment.Name("x.mp4")), event.MsgVideo, "x.mp4"},
	} {
		content, err := tt.a.Content(deadline(t), h.repo, false)
		if err != nil || content.MsgType != tt.want || content.FileName != tt.wantName {
			t.Errorf("%s: got %+v, %v", tt.name, content, err)
		}
	}
}

// nio-bot 85: a path without a name ended in an AttributeError.
func TestPathNeedsNoName(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	content := must(attachment.Of(attachment.Path(path)).Content(deadline(t), h.repo, false))(t)
	if content.Body != "notes.txt" || !strings.HasPrefix(content.Info.MimeType, "text/plain") || content.Info.Size != 5 {
		t.Errorf("got %+v with %+v", content, content.Info)
	}
	for _, wrong := range []string{path + ".none", t.TempDir(), os.DevNull} {
		if _, err := attachment.Of(attachment.Path(wrong)).Prepare(deadline(t), h.repo); err == nil {
			t.Errorf("%s can be sent", wrong)
		}
	}
}

// nio-bot 86 and 87: a thumbnail of a video never worked, and a video without one, or from memory, could not be sent.
func TestVideoIsSentWithoutThumbnail(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	video := attachment.Bytes("clip.mp4", mp4())
	for _, opts := range [][]attachment.Option{
		nil, {attachment.NoThumbnail()}, {attachment.NoThumbnail(), attachment.NoBlurhash()},
	} {
		content := must(attachment.Video(video, opts...).Content(deadline(t), h.repo, false))(t)
		if content.MsgType != event.MsgVideo || content.Info.ThumbnailInfo != nil || content.Info.MimeType != "video/mp4" {
			t.Errorf("got %+v", content)
		}
	}
}

// nio-bot 90: media type and size that were found were overwritten with nothing, and a picture whose thumbnail failed
// could not be sent.
func TestPictureThatCannotBeDecodedIsSent(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	broken := pngFile(t, 900, 900)[:500]
	p := must(attachment.Of(attachment.Bytes("broken.png", broken)).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if p.MIME != "image/png" || p.Size != 500 || p.Kind != attachment.KindImage || p.Thumbnail != nil || p.Blurhash != "" {
		t.Errorf("got %+v", p)
	}
	if content := must(p.Upload(deadline(t), h.repo, false))(t); content.Info.Size != 500 {
		t.Errorf("got %+v", content.Info)
	}
}

// nio-bot 91: bytes without a name ended in an AttributeError where libmagic was not installed.
func TestBytesNeedNoName(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	content := must(attachment.Of(attachment.Bytes("", pngFile(t, 4, 4))).Content(deadline(t), h.repo, false))(t)
	if content.FileName != "image.png" || content.Info.MimeType != "image/png" {
		t.Errorf("got %+v", content)
	}
}

// nio-bot 92: an attachment could be sent once.
func TestEverySourceCanBeSentTwice(t *testing.T) {
	spools := t.TempDir()
	h := newHome(t, fakehs.Options{}, attachment.WithUploadCache(0), attachment.WithTempDir(spools))
	data := noise(400_000) // More than is kept in memory
	path := filepath.Join(t.TempDir(), "f.bin")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := must(attachment.Of(attachment.Bytes("f.bin", data)).Content(deadline(t), h.repo, false))(t)
	encrypted := must(attachment.Of(attachment.Bytes("f.bin", data)).Content(deadline(t), h.repo, true))(t)
	for name, source := range map[string]attachment.Source{
		"path":              attachment.Path(path),
		"fs":                attachment.FS(fstest.MapFS{"d/f.bin": {Data: data}}, "d/f.bin"),
		"bytes":             attachment.Bytes("f.bin", data),
		"reader":            attachment.Reader("f.bin", io.MultiReader(bytes.NewReader(data))),
		"mxc":               attachment.MXC(must(plain.URL.Parse())(t)),
		"message":           attachment.Message(plain),
		"encrypted message": attachment.Message(encrypted),
	} {
		t.Run(name, func(t *testing.T) {
			a := attachment.Of(source)
			var both sync.WaitGroup
			for _, secret := range []bool{true, false, true} {
				both.Go(func() {
					content, err := a.Content(deadline(t), h.repo, secret)
					if err != nil {
						t.Error(err)
						return
					}
					got, info := read(t, h.repo, content)
					if !bytes.Equal(got, data) || info.Encrypted != secret || name != "mxc" && info.Name != "f.bin" {
						t.Errorf("got %d bytes, %+v", len(got), info)
					}
				})
			}
			both.Wait()
		})
	}
	// Elsewhere a file is there until it is closed.
	if left := must(os.ReadDir(spools))(t); runtime.GOOS == "linux" && len(left) > 0 {
		t.Errorf("there are %v", left)
	}
}

func TestPlainFileOfTheServerIsNotUploadedAgain(t *testing.T) {
	h := newHome(t, fakehs.Options{}, attachment.WithUploadCache(0))
	first := must(attachment.Of(attachment.Bytes("f.bin", noise(100))).Content(deadline(t), h.repo, false))(t)
	before := h.CountRequests("POST", "/upload")
	again := must(attachment.Of(attachment.Message(first)).Content(deadline(t), h.repo, false))(t)
	if again.URL != first.URL || h.CountRequests("POST", "/upload") != before {
		t.Errorf("got %s after %s", again.URL, first.URL)
	}
}

func TestPreparedIsClosedOnce(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	p := must(attachment.Of(attachment.Reader("", bytes.NewReader(noise(400_000)))).Prepare(deadline(t), h.repo))(t)
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	fetched := must(h.repo.Download(deadline(t), must(attachment.Of(attachment.Bytes("", noise(9))).
		Content(deadline(t), h.repo, false))(t)))(t)
	if err := errors.Join(fetched.Close(), fetched.Close()); err != nil {
		t.Error(err)
	}
	if _, err := fetched.ReadAt(make([]byte, 1), 0); !errors.Is(err, attachment.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSave(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	data := noise(500_000)
	content := must(attachment.Of(attachment.Bytes("f.bin", data)).Content(deadline(t), h.repo, true))(t)
	got := must(h.repo.Download(deadline(t), content))(t)
	defer got.Close()
	path := filepath.Join(t.TempDir(), got.Name)
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(got.Save(path), got.Save(path)); err != nil {
		t.Fatal(err)
	}
	if saved := must(os.ReadFile(path))(t); !bytes.Equal(saved, data) {
		t.Errorf("saved %d bytes", len(saved))
	}
	if err := got.Save(filepath.Join(path, "none", "f")); err == nil {
		t.Error("saved below a file")
	}
	if rest := must(os.ReadDir(filepath.Dir(path)))(t); len(rest) != 1 {
		t.Errorf("there are %v", rest)
	}
}
