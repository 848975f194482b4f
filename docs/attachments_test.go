package docs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in attachments.md, piece by piece.

func cat(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	_, err := c.Respond(ctx, niobot.Attach(attachment.Of(attachment.Path("cat.txt"))))
	return err
}

func album(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	files := niobot.Attach(
		attachment.Of(attachment.Path("cat.txt")),
		attachment.Of(attachment.Bytes("dog.txt", []byte("a dog"))),
	)
	_, err := c.Respond(ctx, files.Captioned(niobot.Markdown("Pets of **%s**", c.Sender())))
	return err
}

type keepArgs struct {
	File *niobot.File `arg:"file"`
}

func keep(ctx context.Context, c *niobot.Context, a keepArgs) error {
	received, err := a.File.Download(ctx, attachment.MaxBytes(10<<20))
	if err != nil {
		return err
	}
	defer received.Close()
	if err := received.Save(filepath.Join(os.TempDir(), a.File.Name)); err != nil {
		return err
	}
	return c.Reply(ctx, "%s is kept: %d bytes.", a.File.Name, received.Size)
}

func pass(ctx context.Context, c *niobot.Context, a keepArgs) error {
	again := attachment.Of(a.File.Source(), attachment.Name("copy of "+a.File.Name))
	_, err := c.Respond(ctx, niobot.Attach(again))
	return err
}

func newFileBot(config niobot.Config) (*niobot.Bot, error) {
	bot, err := niobot.New(config, niobot.WithAttachments(
		attachment.WithMaxDownload(50<<20),
		attachment.WithFFmpeg(""),
	))
	if err != nil {
		return nil, err
	}
	bot.OnUnplayable(func(ctx context.Context, p *attachment.Prepared) {
		if c, ok := niobot.FromContext(ctx); ok {
			c.Logger().Info("somebody may not see it", "why", p.Warning)
		}
	})
	return bot, nil
}

func TestAttachments(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	if err := os.WriteFile("cat.txt", []byte("a cat"), 0o600); err != nil {
		t.Fatal(err)
	}
	bot, err := newFileBot(niobot.Config{Homeserver: "https://example.org", Token: "token", Prefixes: []string{"!"}})
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(niobot.NewCommand("cat", cat), niobot.NewCommand("album", album), niobot.NewCommand("keep", keep),
		niobot.NewCommand("pass", pass))
	t.Setenv("TMPDIR", t.TempDir()) // Where the guide's bot keeps files
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!cat")
	if file := alice.ExpectFile("cat.txt"); string(file.Data) != "a cat" {
		t.Errorf("the cat is %q", file.Data)
	}
	alice.Say(room, "!album")
	if file := alice.ExpectFile("cat.txt"); file.Caption != fmt.Sprintf("Pets of %s", alice.ID()) {
		t.Errorf("the caption is %q", file.Caption)
	}
	alice.ExpectFileIn(room, "dog.txt")
	alice.SendFile(room, attachment.Of(attachment.Bytes("fish.txt", []byte("a fish")), attachment.Caption("!keep")))
	alice.ExpectReply("fish.txt is kept: 6 bytes.")
	if data, err := os.ReadFile(filepath.Join(os.TempDir(), "fish.txt")); err != nil || string(data) != "a fish" {
		t.Errorf("the file is %q, %v", data, err)
	}
	alice.Reply(alice.SendFile(room, attachment.Of(attachment.Bytes("owl.txt", []byte("an owl")))), "!pass")
	alice.ExpectFile("copy of owl.txt")
}
