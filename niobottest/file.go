package niobottest

import (
	"fmt"
	"io"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/attachment"
)

// File is a message of the bot that shows a file.
type File struct {
	*Message
	attachment.Info        // What the message says of the file
	Data            []byte // The file itself
}

// SendFile sends a file into a room, with what a client finds out of it. Its caption may call a command.
func (u *User) SendFile(room id.RoomID, a *attachment.Attachment) *Message {
	u.s.t.Helper()
	return u.send(room, u.upload(a))
}

// ReplyFile sends a file as a reply to a message.
func (u *User) ReplyFile(to *Message, a *attachment.Attachment) *Message {
	u.s.t.Helper()
	content := u.upload(a)
	content.RelatesTo = &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: to.ID}}
	return u.send(to.RoomID, content)
}

func (u *User) upload(a *attachment.Attachment) *event.MessageEventContent {
	u.s.t.Helper()
	content, err := a.Content(u.s.deadline(), attachment.NewRepository(u.client), false)
	u.must("upload a file", err)
	content.Mentions = &event.Mentions{}
	return content
}

// ExpectFile waits for the bot's next reply to what the user said last, and ends the test if it is no file of that name.
func (u *User) ExpectFile(name string) *File {
	u.s.t.Helper()
	want := fmt.Sprintf("the file %q", name)
	return u.file(u.nextReply(want), u.last, want, name)
}

// ExpectFileIn waits for the bot's next message in a room, reply or not, and ends the test if it is no file of that name.
// It is a method of a user, who downloads the file.
func (u *User) ExpectFileIn(room id.RoomID, name string) *File {
	u.s.t.Helper()
	want := fmt.Sprintf("the file %q", name)
	about := &Message{RoomID: room}
	return u.file(u.s.next(about, want, func(m *Message) bool {
		return relation(m.Event).Type != event.RelReplace
	}), about, want, name)
}

// file downloads the file of a message.
func (u *User) file(m, about *Message, want, name string) *File {
	u.s.t.Helper()
	content := m.Event.Content.AsMessage()
	info, err := attachment.Parse(content)
	switch {
	case err != nil:
		u.s.fail(about, want, fmt.Sprintf("%q", m.Body))
	case info.Name != name:
		u.s.fail(about, want, fmt.Sprintf("the file %q", info.Name))
	}
	received, err := attachment.NewRepository(u.client).Download(u.s.deadline(), content)
	u.must("download "+name, err)
	defer func() { u.must("close the file", received.Close()) }()
	data, err := io.ReadAll(received)
	u.must("read "+name, err)
	return &File{Message: m, Info: info, Data: data}
}
