package niobot

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Sticker is an image that is shown without a frame (spec: Client-Server API, "Sticker Messages"). It is sent by
// [Context.Respond], [Bot.Send] and their kin.
//
// Stickers are mostly of packs that many share, and the specification has a URL only: in an encrypted room, too, the
// server can see the image, though not who is shown it. An image that is private goes into File, which bridges send and
// Element, Element X and other clients read (matrix-spec issue 1667).
type Sticker struct {
	Text string // What it shows, for those who can't see it. Required

	// One of the two is required: the image in a media repository, such as "mxc://example.org/id", or an encrypted one
	// with its key, as [attachment.Prepared.Upload] makes it. The latter is for encrypted rooms: elsewhere the server
	// sees the key as well.
	URL  id.ContentURIString
	File *event.EncryptedFileInfo

	MIMEType string // Such as "image/png"; optional, as all below
	Width    int    // Pixels, as it is meant to be shown
	Height   int    // Pixels
	Size     int    // Bytes
}

// Body implements [Content].
func (s Sticker) Body() Body { return Plain(s.Text) }

func (s Sticker) event() (event.Type, any, error) {
	if s.Text == "" {
		return event.Type{}, nil, errors.New("sticker has no text")
	}
	image := s.URL
	switch {
	case s.URL != "" && s.File != nil:
		return event.Type{}, nil, errors.New("sticker has two images")
	case s.File != nil:
		image = s.File.URL
	}
	if image == "" {
		return event.Type{}, nil, errors.New("sticker has no image")
	}
	if err := checkImage(image); err != nil {
		return event.Type{}, nil, fmt.Errorf("sticker: %w", err)
	}
	if s.Width < 0 || s.Height < 0 || s.Size < 0 {
		return event.Type{}, nil, fmt.Errorf("sticker of %d×%d pixels and %d bytes", s.Width, s.Height, s.Size)
	}
	return event.EventSticker, stickerContent{
		Body: s.Text, URL: s.URL, File: s.File, Info: stickerInfo{s.MIMEType, s.Width, s.Height, s.Size},
	}, nil
}

type stickerContent struct {
	Body string                   `json:"body"`
	URL  id.ContentURIString      `json:"url,omitempty"`
	File *event.EncryptedFileInfo `json:"file,omitempty"`
	Info stickerInfo              `json:"info"`
}

type stickerInfo struct {
	MIMEType string `json:"mimetype,omitempty"`
	Width    int    `json:"w,omitempty"`
	Height   int    `json:"h,omitempty"`
	Size     int    `json:"size,omitempty"`
}
