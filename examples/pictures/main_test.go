package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/niobottest"
)

func TestGrey(t *testing.T) {
	t.Setenv("NIOBOT_HOMESERVER", "https://example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	bot, err := newBot()
	if err != nil {
		t.Fatal(err)
	}
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()

	red := image.NewRGBA(image.Rect(0, 0, 2, 2))
	red.Set(1, 1, color.RGBA{255, 0, 0, 255})
	var file bytes.Buffer
	if err := png.Encode(&file, red); err != nil {
		t.Fatal(err)
	}
	alice.SendFile(room, attachment.Of(attachment.Bytes("dot.png", file.Bytes()), attachment.Caption("!grey")))
	got := alice.ExpectFile("dot in grey.png")
	picture, err := png.Decode(bytes.NewReader(got.Data))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := picture.At(1, 1).RGBA(); r != g || g != b || r == 0 {
		t.Errorf("the dot is %d, %d, %d", r, g, b)
	}

	notes := alice.SendFile(room, attachment.Of(attachment.Bytes("notes.txt", []byte("no picture"))))
	alice.Reply(notes, "!grey")
	alice.ExpectReply("notes.txt is no picture.")
	alice.SendFile(room, attachment.Image(attachment.Bytes("lie.png", []byte("no picture")), attachment.Caption("!grey")))
	alice.ExpectReply("I can't read lie.png.")
	alice.Say(room, "!grey")
	alice.ExpectReplyMatch("caption of a file")
}
