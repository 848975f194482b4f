package attachment_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	encryption "maunium.net/go/mautrix/crypto/attachment"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// sealed is a message with the data encrypted by mautrix, and what the server has of it.
func sealed(data []byte) (*event.MessageEventContent, []byte) {
	file := encryption.NewEncryptedFile()
	ciphertext := bytes.Clone(data)
	file.EncryptInPlace(ciphertext)
	return &event.MessageEventContent{
		MsgType: event.MsgFile, Body: "f.bin",
		File: &event.EncryptedFileInfo{EncryptedFile: *file, URL: mxc("abc")},
	}, ciphertext
}

// opened is a message with plain data, and what the server has of it.
func opened(data []byte) (*event.MessageEventContent, []byte) {
	return &event.MessageEventContent{MsgType: event.MsgFile, Body: "f.bin", URL: mxc("abc")}, data
}

func TestDownloadGoesOnWhereItEnded(t *testing.T) {
	data := noise(1_000_000)
	for name, message := range map[string]func([]byte) (*event.MessageEventContent, []byte){
		"plain": opened, "encrypted": sealed,
	} {
		for server, ranges := range map[string]string{
			"with ranges": "yes", "without": "no", "with wrong ranges": "wrong", "that refuses them": "refuse",
		} {
			t.Run(name+" from a server "+server, func(t *testing.T) {
				content, stored := message(data)
				var requests, sent counter
				repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
					n := requests.Add(1)
					from, part := 0, r.Header.Get("Range")
					if part != "" && n < 4 {
						switch ranges {
						case "yes":
							_, _ = fmt.Sscanf(part, "bytes=%d-", &from)
							w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(stored)-1, len(stored)))
						case "wrong":
							w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(stored)-1, len(stored)))
						case "refuse":
							w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
							return
						}
					}
					rest := stored[from:]
					w.Header().Set("Content-Length", fmt.Sprint(len(rest)))
					if w.Header().Get("Content-Range") != "" {
						w.WriteHeader(http.StatusPartialContent)
					}
					if n < 3 {
						rest = rest[:300_000]
					}
					written, _ := w.Write(rest)
					sent.Add(int64(written))
				})
				got := must(repo.Download(deadline(t), content))(t)
				defer got.Close()
				if whole := must(io.ReadAll(got))(t); !bytes.Equal(whole, data) || got.Info.Size != int64(len(data)) {
					t.Errorf("got %d bytes", len(whole))
				}
				if ranges == "yes" && (sent.Load() != int64(len(data)) || requests.Load() != 3) {
					t.Errorf("%d bytes were sent in %d requests", sent.Load(), requests.Load())
				}
			})
		}
	}
}

func TestOldServersAreAskedTheOldWay(t *testing.T) {
	content, stored := opened(noise(1000))
	for name, missing := range map[string]func(http.ResponseWriter){
		"with an error code": unknown,
		"without one":        func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
	} {
		var tried counter
		repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_matrix/media/v3/download/example.org/abc" {
				tried.Add(1)
				missing(w)
				return
			}
			_, _ = w.Write(stored)
		})
		for range 3 {
			got := must(repo.Download(deadline(t), content))(t)
			_ = got.Close()
		}
		if tried.Load() != 1 {
			t.Errorf("%s: the new endpoint was tried %d times", name, tried.Load())
		}
	}
}

func TestMissingFileIsNoOldServer(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	content, _ := opened(nil)
	for range 2 {
		if _, err := h.repo.Download(deadline(t), content); !errors.Is(err, mautrix.MNotFound) {
			t.Errorf("got %v", err)
		}
	}
	if n := h.CountRequests("GET", "/media/v3/download"); n != 0 {
		t.Errorf("asked the old way %d times", n)
	}
}

// broken is a sealed message that was tampered with.
func broken(tamper func(*event.EncryptedFileInfo)) *event.MessageEventContent {
	content, _ := sealed(noise(1000))
	tamper(content.File)
	return content
}

func TestWrongKeysAreTold(t *testing.T) {
	repo := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	for name, content := range map[string]*event.MessageEventContent{
		"no key":      broken(func(f *event.EncryptedFileInfo) { f.Key.Key = "" }),
		"short key":   broken(func(f *event.EncryptedFileInfo) { f.Key.Key = f.Key.Key[:42] }),
		"long key":    broken(func(f *event.EncryptedFileInfo) { f.Key.Key += "AAAA" }),
		"no base64":   broken(func(f *event.EncryptedFileInfo) { f.Key.Key = "!" + f.Key.Key[1:] }),
		"short iv":    broken(func(f *event.EncryptedFileInfo) { f.InitVector = "AAAA" }),
		"no hash":     broken(func(f *event.EncryptedFileInfo) { f.Hashes.SHA256 = "" }),
		"bad hash":    broken(func(f *event.EncryptedFileInfo) { f.Hashes.SHA256 = strings.Repeat("*", 43) }),
		"version":     broken(func(f *event.EncryptedFileInfo) { f.Version = "v1" }),
		"algorithm":   broken(func(f *event.EncryptedFileInfo) { f.Key.Algorithm = "A128CTR" }),
		"type":        broken(func(f *event.EncryptedFileInfo) { f.Key.KeyType = "RSA" }),
		"encrypt":     broken(func(f *event.EncryptedFileInfo) { f.Key.KeyOps = []string{"encrypt"} }),
		"zero object": {MsgType: event.MsgFile, File: &event.EncryptedFileInfo{URL: mxc("abc")}},
	} {
		if _, err := repo.Download(deadline(t), content); !errors.Is(err, attachment.ErrBadKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPaddedKeysAreRead(t *testing.T) {
	content, stored := sealed(noise(1000))
	content.File.Key.Key += "="
	content.File.InitVector += "=="
	content.File.Hashes.SHA256 += "="
	repo := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(stored) })
	got := must(repo.Download(deadline(t), content))(t)
	_ = got.Close()
}

func TestNothingIsGivenOutBeforeItsHashIsRight(t *testing.T) {
	content, stored := sealed(noise(600_000))
	for name, bytesOf := range map[string]func() []byte{
		"changed": func() []byte { b := bytes.Clone(stored); b[300_000] ^= 1; return b },
		"cut":     func() []byte { return stored[:599_999] },
		"longer":  func() []byte { return append(bytes.Clone(stored), 0) },
		"empty":   func() []byte { return nil },
	} {
		var requests counter
		repo := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			_, _ = w.Write(bytesOf())
		})
		got, err := repo.Download(deadline(t), content)
		if got != nil || !errors.Is(err, attachment.ErrHashMismatch) || requests.Load() != 1 {
			t.Errorf("%s: got %v, %v after %d requests", name, got, err, requests.Load())
		}
	}
	wrong := *content.File
	wrong.Hashes.SHA256 = base64.RawStdEncoding.EncodeToString(make([]byte, 32))
	repo := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(stored) })
	_, err := repo.Download(deadline(t), &event.MessageEventContent{File: &wrong})
	if !errors.Is(err, attachment.ErrHashMismatch) {
		t.Errorf("wrong hash: got %v", err)
	}
}

func TestDownloadLimit(t *testing.T) {
	var requests counter
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if strings.HasSuffix(r.URL.Path, "/chunked") {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(noise(1001))
	}, attachment.WithMaxDownload(1000))
	for _, tt := range []struct {
		name, media string
		claims      int
		opts        []attachment.DownloadOption
		wantErr     bool
		requests    int64
	}{
		{"claimed", "abc", 1001, nil, true, 0},
		{"told by the server", "abc", 5, nil, true, 1},
		{"found on the way", "chunked", 0, nil, true, 1},
		{"allowed", "chunked", 1001, []attachment.DownloadOption{attachment.MaxBytes(1001)}, false, 1},
	} {
		requests.Store(0)
		got, err := repo.Download(deadline(t), &event.MessageEventContent{
			URL: mxc(tt.media), Info: &event.FileInfo{Size: tt.claims},
		}, tt.opts...)
		if errors.Is(err, attachment.ErrTooLarge) != tt.wantErr || requests.Load() != tt.requests {
			t.Errorf("%s: got %v after %d requests", tt.name, err, requests.Load())
		}
		if got != nil {
			_ = got.Close()
		}
	}
}

func TestOtherDownloads(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	content := must(attachment.Of(attachment.Bytes("a", noise(9))).Content(deadline(t), h.repo, false))(t)
	got := must(h.repo.DownloadURI(deadline(t), must(content.URL.Parse())(t)))(t)
	defer got.Close()
	if !bytes.Equal(must(io.ReadAll(got))(t), noise(9)) || must(got.Seek(3, io.SeekStart))(t) != 3 ||
		!bytes.Equal(must(io.ReadAll(got))(t), noise(9)[3:]) {
		t.Error("got other bytes")
	}
	for _, without := range []*event.MessageEventContent{{}, {Info: &event.FileInfo{}}, content} {
		if _, err := h.repo.DownloadThumbnail(deadline(t), without); !errors.Is(err, attachment.ErrNoMedia) {
			t.Errorf("got %v", err)
		}
	}
	_, err := h.repo.Download(deadline(t), &event.MessageEventContent{MsgType: event.MsgText, Body: "hi"})
	if !errors.Is(err, attachment.ErrNoMedia) {
		t.Errorf("got %v", err)
	}
}

func TestDownloadEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(deadline(t), time.Minute)
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(noise(10))
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	content, _ := opened(nil)
	if _, err := repo.Download(ctx, content); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
