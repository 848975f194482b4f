package fakehs

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"maunium.net/go/mautrix/id"
)

// mediaFile is an uploaded file, or a place kept for one.
type mediaFile struct {
	owner       id.UserID
	contentType string
	name        string
	data        []byte
	done        bool
	ready       bell
}

// maxPending bounds how many files a user may have announced and not uploaded.
const maxPending = 100

var mediaRoutes = []route{
	{method: "POST", path: "/_matrix/media/v3/upload", own: true, handle: (*call).upload},
	{method: "POST", path: "/_matrix/media/r0/upload", own: true, handle: (*call).upload},
	{method: "PUT", path: "/_matrix/media/v3/upload/{server}/{media}", own: true, handle: (*call).uploadTo},
	{method: "POST", path: "/_matrix/media/v1/create", handle: (*call).createMedia},
	{method: "GET", path: "/_matrix/media/v3/config", handle: (*call).mediaConfig},
	{method: "GET", path: "/_matrix/media/r0/config", handle: (*call).mediaConfig},
	{method: "GET", path: "/media/config", version: "v1", handle: (*call).mediaConfig},
	{method: "GET", path: "/_matrix/media/v3/download/{server}/{media}", access: open, own: true,
		handle: (*call).download},
	{method: "GET", path: "/_matrix/media/v3/download/{server}/{media}/{name}", access: open, own: true,
		handle: (*call).download},
	{method: "GET", path: "/_matrix/media/v3/thumbnail/{server}/{media}", access: open, own: true,
		handle: (*call).download},
	{method: "GET", path: "/media/download/{server}/{media}", version: "v1", own: true, handle: (*call).download},
	{method: "GET", path: "/media/download/{server}/{media}/{name}", version: "v1", own: true, handle: (*call).download},
	{method: "GET", path: "/media/thumbnail/{server}/{media}", version: "v1", own: true, handle: (*call).download},
}

func (c *call) mediaConfig() (any, error) {
	return map[string]int64{"m.upload.size": c.s.opts.MaxUpload}, nil
}

func (s *Server) contentURI(mediaID string) id.ContentURI {
	return id.ContentURI{Homeserver: s.Name(), FileID: mediaID}
}

// readUpload takes in the body of an upload.
func (c *call) readUpload() (*mediaFile, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.s.opts.MaxUpload))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, tooLarge("file is larger than %d bytes", tooBig.Limit)
	case err != nil:
		return nil, fail(http.StatusBadRequest, "M_UNKNOWN", "upload ended early")
	}
	contentType := c.r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	return &mediaFile{
		owner: c.user.id, contentType: contentType, name: c.query("filename"), data: data, done: true,
	}, nil
}

func (c *call) upload() (any, error) {
	file, err := c.readUpload()
	if err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	mediaID := c.s.nextID("")
	c.s.media[mediaID] = file
	return map[string]any{"content_uri": c.s.contentURI(mediaID)}, nil
}

// createMedia makes a content URI to be filled later.
//
// https://spec.matrix.org/v1.15/client-server-api/#post_matrixmediav1create
func (c *call) createMedia() (any, error) {
	pending := 0
	for _, file := range c.s.media {
		pending += count(file.owner == c.user.id && !file.done)
	}
	if pending >= maxPending {
		return nil, fail(http.StatusTooManyRequests, "M_LIMIT_EXCEEDED", "too many uploads are pending")
	}
	mediaID := c.s.nextID("")
	c.s.media[mediaID] = &mediaFile{owner: c.user.id}
	expires := c.s.opts.Now().Add(24 * time.Hour).UnixMilli()
	return map[string]any{"content_uri": c.s.contentURI(mediaID), "unused_expires_at": expires}, nil
}

func (c *call) uploadTo() (any, error) {
	file, err := c.readUpload()
	if err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	place := c.s.media[c.path("media")]
	switch {
	case place == nil || c.path("server") != c.s.Name():
		return nil, notFound("no such media")
	case place.owner != c.user.id:
		return nil, forbidden("that media is not yours")
	case place.done:
		return nil, fail(http.StatusConflict, "M_CANNOT_OVERWRITE_MEDIA", "media has been uploaded already")
	}
	place.contentType, place.name, place.data, place.done = file.contentType, file.name, file.data, true
	place.ready.ring()
	return empty{}, nil
}

// download gives a file; thumbnails are the file itself. It waits for one that is announced and not there yet.
func (c *call) download() (any, error) {
	wait, err := c.queryInt("timeout_ms", 20_000)
	if err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	file := c.s.media[c.path("media")]
	if file == nil || c.path("server") != c.s.Name() {
		return nil, notFound("no such media")
	}
	deadline := time.NewTimer(min(time.Duration(wait)*time.Millisecond, time.Minute))
	defer deadline.Stop()
	for !file.done {
		late, err := c.await(file.ready.wait(), deadline.C)
		if err != nil {
			return nil, err
		}
		if late && !file.done {
			return nil, fail(http.StatusGatewayTimeout, "M_NOT_YET_UPLOADED", "media is not uploaded yet")
		}
	}
	name := c.path("name")
	if name == "" {
		name = file.name
	}
	header := http.Header{"Content-Type": {file.contentType}}
	header.Set("Content-Disposition", "attachment")
	if name != "" {
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	return rawReply{header: header, body: file.data}, nil
}

// Media returns an uploaded file and its content type, or nil.
func (s *Server) Media(uri id.ContentURI) (data []byte, contentType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file := s.media[uri.FileID]
	if file == nil || uri.Homeserver != s.Name() {
		return nil, ""
	}
	return file.data, file.contentType
}
