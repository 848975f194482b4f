//go:build goolm

package e2ee_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// opening is a file system that does something when a file is first opened: while a file is sent, and before it is
// uploaded.
type opening struct {
	fs.FS
	do func()
}

func (o opening) Open(name string) (fs.File, error) {
	o.do()
	return o.FS.Open(name)
}

// plainRoom makes a room of alice and the bot that is not encrypted.
func plainRoom(t *testing.T, hs *fakehs.Server, alice *bot, with *niobot.Bot) id.RoomID {
	t.Helper()
	created, err := alice.client.CreateRoom(deadline(t), &mautrix.ReqCreateRoom{Preset: "public_chat"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := with.Join(deadline(t), created.RoomID.String()); err != nil {
		t.Fatal(err)
	}
	alice.sync()
	return created.RoomID
}

// encryptFor encrypts the room, and returns when the bot knows.
func (b *bot) encryptFor(room id.RoomID, other *niobot.Bot) {
	b.t.Helper()
	content := &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}
	if _, err := b.client.SendStateEvent(deadline(b.t), room, event.StateEncryption, "", content); err != nil {
		b.t.Fatal(err)
	}
	// It may hear of the room itself only now, and then there is no event of it to listen for.
	for ctx := deadline(b.t); ctx.Err() == nil; b.sync() {
		if known, ok := other.Room(room); ok && known.Encrypted() {
			return
		}
	}
	b.t.Fatal("the bot does not hear that the room is encrypted")
}

// shown is a file or a gallery that alice reads.
type shown struct {
	event.MessageEventContent
	Items []event.MessageEventContent `json:"itemtypes"`
}

// shows are the files of the bot's encrypted events in the room.
func (b *bot) shows(room id.RoomID, from id.UserID) (all []event.MessageEventContent) {
	b.t.Helper()
	b.sync()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, evt := range b.hs.Timeline(room) {
		if evt.Sender != from || evt.Type != event.EventEncrypted {
			continue
		}
		open, ok := b.read[evt.ID]
		if !ok {
			b.t.Fatalf("%s is not read: %v", evt.ID, b.failed[evt.ID])
		}
		var content shown
		if err := json.Unmarshal(open.Content, &content); err != nil {
			b.t.Fatal(err)
		}
		if content.Items != nil {
			all = append(all, content.Items...)
		} else {
			all = append(all, content.MessageEventContent)
		}
	}
	return all
}

func TestFileOfARoomThatIsEncryptedMeanwhile(t *testing.T) {
	hs := newServer(t)
	bot, _ := commanded(t, hs)
	alice := newBot(t, hs, "alice")
	for name, files := range map[string]func(...*attachment.Attachment) niobot.Files{
		"one after the other": niobot.Attach,
		"in a gallery":        func(a ...*attachment.Attachment) niobot.Files { return niobot.Attach(a...).AsGallery() },
	} {
		room := plainRoom(t, hs, alice, bot)
		secret := []byte("the plan of " + name)
		folder := opening{
			fstest.MapFS{"a.txt": {Data: secret}, "b.txt": {Data: secret}},
			sync.OnceFunc(func() { alice.encryptFor(room, bot) }),
		}
		_, err := bot.Send(deadline(t), room, files(
			attachment.File(attachment.FS(folder, "a.txt")), attachment.File(attachment.FS(folder, "b.txt"))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if plain := hs.Messages(room, bot.UserID()); len(plain) != 0 {
			t.Errorf("%s: %d messages are not encrypted", name, len(plain))
		}
		contents := alice.shows(room, bot.UserID())
		if len(contents) != 2 {
			t.Errorf("%s: %d files are shown, want 2", name, len(contents))
		}
		for _, content := range contents {
			if content.URL != "" || content.File == nil {
				t.Errorf("%s: the file %s lies in the clear: %s", name, content.Body, content.URL)
				continue
			}
			uri, err := content.File.URL.Parse()
			if err != nil {
				t.Fatal(err)
			}
			stored, _ := hs.Media(uri)
			if len(stored) != len(secret) || bytes.Contains(stored, secret) {
				t.Errorf("%s: %q is stored", name, stored)
			}
			open := bytes.Clone(stored)
			if err := content.File.DecryptInPlace(open); err != nil || !bytes.Equal(open, secret) {
				t.Errorf("%s: the file decrypts to %q, %v", name, open, err)
			}
		}
	}
}

func TestStickersInAnEncryptedRoom(t *testing.T) {
	hs := newServer(t)
	bot, _ := commanded(t, hs)
	alice := newBot(t, hs, "alice")
	room := plainRoom(t, hs, alice, bot)
	alice.encryptFor(room, bot)
	repository, err := bot.Repository(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	private, err := attachment.File(attachment.Bytes("cat.png", []byte("a private cat"))).Prepare(deadline(t), repository)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = private.Close() }()
	uploaded, err := private.Upload(deadline(t), repository, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, sticker := range []niobot.Sticker{
		{Text: "a cat", URL: "mxc://localhost/cat"}, {Text: "my cat", File: uploaded.File},
	} {
		if _, err := bot.Send(deadline(t), room, sticker); err != nil {
			t.Fatal(err)
		}
	}
	contents := alice.shows(room, bot.UserID())
	if len(contents) != 2 {
		t.Fatalf("%d stickers are shown", len(contents))
	}
	if got := contents[0]; got.Body != "a cat" || got.URL != "mxc://localhost/cat" || got.File != nil {
		t.Errorf("the sticker of a pack says %+v", got)
	}
	got := contents[1]
	if got.URL != "" || got.File == nil || got.File.Key.Key != uploaded.File.Key.Key || got.File.URL != uploaded.File.URL {
		t.Errorf("the private sticker says %+v", got)
	}
	for _, e := range hs.Timeline(room) {
		if e.Type == event.EventSticker {
			t.Error("a sticker is not encrypted")
		}
	}
}
