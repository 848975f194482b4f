package niobot

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Sticker is an image that is shown without a frame (spec: Client-Server API, "Sticker Messages"). It is sent by
// [Context.Respond], [Bot.Send] and their kin.
type Sticker struct {
	Text string              // What it shows, for those who can't see it. Required
	URL  id.ContentURIString // The image in a media repository, such as "mxc://example.org/id". Required

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
	if s.URL == "" {
		return event.Type{}, nil, errors.New("sticker has no image")
	}
	if err := checkImage(s.URL); err != nil {
		return event.Type{}, nil, fmt.Errorf("sticker: %w", err)
	}
	if s.Width < 0 || s.Height < 0 || s.Size < 0 {
		return event.Type{}, nil, fmt.Errorf("sticker of %d×%d pixels and %d bytes", s.Width, s.Height, s.Size)
	}
	return event.EventSticker, stickerContent{
		Body: s.Text, URL: s.URL, Info: stickerInfo{s.MIMEType, s.Width, s.Height, s.Size},
	}, nil
}

type stickerContent struct {
	Body string              `json:"body"`
	URL  id.ContentURIString `json:"url"`
	Info stickerInfo         `json:"info"`
}

type stickerInfo struct {
	MIMEType string `json:"mimetype,omitempty"`
	Width    int    `json:"w,omitempty"`
	Height   int    `json:"h,omitempty"`
	Size     int    `json:"size,omitempty"`
}
