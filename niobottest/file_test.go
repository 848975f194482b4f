package niobottest_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/niobottest"
)

// shout answers with the command's file in capitals.
func shout() *niobot.Command {
	return niobot.NewCommand("shout", func(ctx context.Context, c *niobot.Context, a struct {
		File *niobot.File `arg:"file"`
	}) error {
		received, err := a.File.Download(ctx)
		if err != nil {
			return err
		}
		defer received.Close()
		data, err := io.ReadAll(received)
		if err != nil {
			return err
		}
		loud := attachment.File(attachment.Bytes("loud.txt", []byte(strings.ToUpper(string(data)))))
		_, err = c.Respond(ctx, niobot.Attach(loud).Captioned(niobot.Plain("Loud!")))
		return err
	})
}

func TestFiles(t *testing.T) {
	s := niobottest.Start(t, newBot(t, shout()))
	alice := s.User("alice")
	room := alice.NewRoom()
	quiet := func(caption string) *attachment.Attachment {
		return attachment.File(attachment.Bytes("quiet.txt", []byte("psst")), attachment.Caption(caption))
	}
	alice.SendFile(room, quiet("!shout"))
	file := alice.ExpectFile("loud.txt")
	if string(file.Data) != "PSST" || file.MIME != "text/plain" || file.Caption != "Loud!" || file.Body != "Loud!" {
		t.Errorf("the file is %+v, %q", file.Info, file.Data)
	}
	alice.Reply(alice.SendFile(room, quiet("")), "!shout")
	alice.ExpectReply("Loud!")
	alice.ReplyFile(alice.Say(room, "hello"), quiet("!shout"))
	if file := alice.ExpectFileIn(room, "loud.txt"); string(file.Data) != "PSST" {
		t.Errorf("the file is %q", file.Data)
	}
}

func TestExpectFileFails(t *testing.T) {
	f := &failing{TB: t}
	s := niobottest.Start(f, newBot(t, shout(), niobot.NewCommand("ping",
		func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error { return c.Reply(ctx, "pong") })))
	alice := s.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!ping")
	if said := fails(t, f, func() { alice.ExpectFile("cat.png") }); !strings.Contains(said, `want the file "cat.png"`) ||
		!strings.Contains(said, `got  "pong"`) {
		t.Errorf("it says %s", said)
	}
	alice.SendFile(room, attachment.File(attachment.Bytes("a.txt", []byte("a")), attachment.Caption("!shout")))
	if said := fails(t, f, func() { alice.ExpectFile("cat.png") }); !strings.Contains(said, `got  the file "loud.txt"`) {
		t.Errorf("it says %s", said)
	}
}
