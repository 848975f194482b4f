package fakehs_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func TestUploadAndDownload(t *testing.T) {
	hs := newServer(t, fakehs.Options{MaxUpload: 1000})
	alice := person(t, hs, "alice")
	ctx := deadline(t)
	up := must(alice.UploadBytesWithName(ctx, []byte("meow"), "text/cat", "cät.txt"))(t)
	resp := must(alice.Download(ctx, up.ContentURI))(t)
	defer resp.Body.Close()
	if body := string(must(io.ReadAll(resp.Body))(t)); body != "meow" || resp.Header.Get("Content-Type") != "text/cat" {
		t.Errorf("got %q as %s", body, resp.Header.Get("Content-Type"))
	}
	if got := resp.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename*=utf-8''c%C3%A4t.txt") {
		t.Errorf("disposition is %q", got)
	}
	if data, contentType := hs.Media(up.ContentURI); string(data) != "meow" || contentType != "text/cat" {
		t.Errorf("stored is %q as %s", data, contentType)
	}
	if got := must(alice.GetMediaConfig(ctx))(t); got.UploadSize != 1000 {
		t.Errorf("got %+v", got)
	}
	_, err := alice.UploadBytes(ctx, make([]byte, 1001), "text/cat")
	wantCode(t, err, 413, "M_TOO_LARGE")
	_, err = alice.DownloadBytes(ctx, id.MustParseContentURI("mxc://localhost/none"))
	wantCode(t, err, 404, "M_NOT_FOUND")
	anonymous, _, err := read(t, http.MethodGet,
		hs.URL()+"/_matrix/client/v1/media/download/localhost/"+up.ContentURI.FileID, nil)
	if err != nil || anonymous != 401 {
		t.Errorf("authenticated media without a token: %d, %v", anonymous, err)
	}
	legacy, body, err := read(t, http.MethodGet, hs.URL()+"/_matrix/media/v3/download/localhost/"+up.ContentURI.FileID, nil)
	if err != nil || legacy != 200 || body != "meow" {
		t.Errorf("the older endpoint: %d %q, %v", legacy, body, err)
	}
}

func TestDownloadWaitsForAnAnnouncedFile(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	ctx := deadline(t)
	created := must(alice.CreateMXC(ctx))(t)
	path := "/_matrix/client/v1/media/download/localhost/" + created.ContentURI.FileID
	if status, body := do(t, hs, bob.AccessToken, "GET", path+"?timeout_ms=1", ""); status != 504 ||
		errCode(body) != "M_NOT_YET_UPLOADED" {
		t.Errorf("before the upload: %d %s", status, body)
	}
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result)
	go func() {
		data, err := bob.DownloadBytes(ctx, created.ContentURI)
		done <- result{data, err}
	}()
	if err := hs.WaitRequests(ctx, 2, "GET", "/media/download/"); err != nil {
		t.Fatal(err)
	}
	upload := mautrix.ReqUploadMedia{
		ContentBytes: []byte("late"), ContentType: "text/plain", MXC: created.ContentURI,
	}
	_, err := bob.UploadMedia(ctx, upload)
	wantCode(t, err, 403, "M_FORBIDDEN")
	must(alice.UploadMedia(ctx, upload))(t)
	if got := <-done; got.err != nil || string(got.data) != "late" {
		t.Errorf("got %q, %v", got.data, got.err)
	}
	_, err = alice.UploadMedia(ctx, upload)
	wantCode(t, err, 409, "M_CANNOT_OVERWRITE_MEDIA")
}
