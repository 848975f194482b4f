package attachment

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/event"
)

// MsgGallery is the msgtype of galleries until MSC4274 is in the specification.
const MsgGallery event.MessageType = "dm.filament.gallery"

// msgStableGallery is what it will be.
const msgStableGallery event.MessageType = "m.gallery"

// Gallery is the content of an m.room.message with several files (MSC4274). Clients that do not know it show the
// caption, which is why there should be one.
type Gallery struct {
	Caption     string
	CaptionHTML string
	Items       []*event.MessageEventContent
}

// wireGallery is a gallery as it is sent.
type wireGallery struct {
	MsgType       event.MessageType `json:"msgtype"`
	Body          string            `json:"body"`
	Format        event.Format      `json:"format,omitempty"`
	FormattedBody string            `json:"formatted_body,omitempty"`
	Items         []json.RawMessage `json:"itemtypes"`
}

// MarshalJSON implements [json.Marshaler]. Without a caption, the names of the files stand in for it.
func (g *Gallery) MarshalJSON() ([]byte, error) {
	wire := wireGallery{MsgType: MsgGallery, Body: g.Caption, Items: make([]json.RawMessage, 0, len(g.Items))}
	if g.CaptionHTML != "" && g.Caption != "" {
		wire.Format, wire.FormattedBody = event.FormatHTML, g.CaptionHTML
	}
	var names []string
	for i, item := range g.Items {
		if item == nil {
			continue
		}
		data, err := rename(item, "msgtype", "itemtype")
		if err != nil {
			return nil, fmt.Errorf("item %d of the gallery: %w", i, err)
		}
		wire.Items = append(wire.Items, data)
		names = append(names, item.GetFileName())
	}
	if wire.Body == "" {
		wire.Body = strings.Join(names, ", ")
	}
	return json.Marshal(wire)
}

// UnmarshalJSON implements [json.Unmarshaler]. Items that can't be read are left out.
func (g *Gallery) UnmarshalJSON(data []byte) error {
	var wire wireGallery
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.MsgType != MsgGallery && wire.MsgType != msgStableGallery {
		return fmt.Errorf("a message of the type %q is no gallery", wire.MsgType)
	}
	*g = Gallery{Caption: wire.Body}
	if wire.Format == event.FormatHTML {
		g.CaptionHTML = wire.FormattedBody
	}
	for _, raw := range wire.Items {
		renamed, err := rename(raw, "itemtype", "msgtype")
		if err != nil {
			continue
		}
		item := new(event.MessageEventContent)
		if json.Unmarshal(renamed, item) == nil {
			g.Items = append(g.Items, item)
		}
	}
	return nil
}

// rename is the value's JSON object with one field under another name.
func rename(value any, from, to string) (json.RawMessage, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if field, ok := fields[from]; ok {
		fields[to] = field
		delete(fields, from)
	}
	return json.Marshal(fields)
}

// NewGallery prepares and uploads several attachments, one after the other. caption and html may be empty.
func NewGallery(
	ctx context.Context, r *Repository, encrypted bool, caption, html string, attachments ...*Attachment,
) (*Gallery, error) {
	g := &Gallery{Caption: caption, CaptionHTML: html}
	for i, a := range attachments {
		item, err := a.Content(ctx, r, encrypted)
		if err != nil {
			return nil, fmt.Errorf("item %d of the gallery: %w", i, err)
		}
		g.Items = append(g.Items, item)
	}
	return g, nil
}
