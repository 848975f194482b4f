package niobot_test

import (
	"encoding/json"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
)

func TestSticker(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		sent, err := h.bot.Send(h.t.Context(), h.room,
			niobot.Sticker{Text: "a cat", URL: "mxc://example.org/cat", MIMEType: "image/png", Width: 128, Height: 64})
		h.must(err)
		h.settle()
		timeline := h.hs.Timeline(h.room)
		last := timeline[len(timeline)-1]
		if last.ID != sent.ID || last.Type != event.EventSticker {
			t.Fatalf("the last event is a %s", last.Type.Type)
		}
		var content map[string]any
		h.must(json.Unmarshal(last.Content.VeryRaw, &content))
		info, _ := content["info"].(map[string]any)
		if content["body"] != "a cat" || content["url"] != "mxc://example.org/cat" || info["w"] != 128.0 || info["size"] != nil {
			t.Errorf("the event says %v", content)
		}
		for name, wrong := range map[string]niobot.Sticker{
			"without text":  {URL: "mxc://example.org/cat"},
			"without image": {Text: "a cat"},
			"of the web":    {Text: "a cat", URL: "https://example.org/cat.png"},
			"of two images": {Text: "a cat", URL: "mxc://example.org/cat", File: &event.EncryptedFileInfo{URL: "mxc://example.org/x"}},
			"of no file":    {Text: "a cat", File: &event.EncryptedFileInfo{}},
			"of no size":    {Text: "a cat", URL: "mxc://example.org/cat", Width: -1},
		} {
			if _, err := h.bot.Send(h.t.Context(), h.room, wrong); err == nil {
				t.Errorf("a sticker %s is sent", name)
			}
		}
	})
}

func TestSendNothing(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		if _, err := h.bot.Send(h.t.Context(), h.room, nil); err == nil {
			t.Error("nothing is sent")
		}
	})
}
