package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// errQuit is returned for the line that ends a chat.
var errQuit = errors.New("quit")

const chatHelp = `What you type is said to the bot; try !help. A line that begins with / is for this program:
  /edit TEXT    replace your last message; the bot edits its reply
  /redact       remove your last message; the bot removes its reply
  /react KEY    react to the bot's last message
  /thread       go on in a thread below the last message, or leave it
  /as NAME      be somebody else
  /quit         end
  //TEXT        say a text that begins with /`

// chat is what users do in the demo's room. Its methods are for one goroutine.
type chat struct {
	hs     *fakehs.Server
	room   id.RoomID
	bot    id.UserID
	user   id.UserID  // Who is speaking
	thread id.EventID // The root of the thread that is spoken in, empty outside of any
}

// input takes a line that the user typed: a message, or a command that begins with a slash. What it returns is for the
// user to read. An error is for the user, too; only errQuit ends the chat.
func (c *chat) input(line string) (answer string, err error) {
	if !strings.HasPrefix(line, "/") {
		return "", c.say(line)
	}
	if text, ok := strings.CutPrefix(line, "//"); ok {
		return "", c.say("/" + text)
	}
	name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	text = strings.TrimSpace(text)
	switch name {
	case "/help":
		return chatHelp, nil
	case "/quit":
		return "", errQuit
	case "/edit":
		return "", c.edit(text)
	case "/redact":
		return "", c.redact()
	case "/react":
		return "", c.react(text)
	case "/thread":
		return c.toggleThread()
	case "/as":
		return c.as(text)
	}
	return "", fmt.Errorf("there is no %s; /help shows what there is", name)
}

func (c *chat) say(text string) error {
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{}}
	if c.thread != "" {
		content.RelatesTo = new(event.RelatesTo).SetThread(c.thread, c.thread)
	}
	return c.send(event.EventMessage, content)
}

func (c *chat) edit(text string) error {
	if text == "" {
		return errors.New("/edit needs the new text")
	}
	last, ok := c.latest(c.user)
	if !ok {
		return errors.New("you have said nothing that could be edited")
	}
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{}}
	content.SetEdit(last.ID)
	return c.send(event.EventMessage, content)
}

func (c *chat) redact() error {
	last, ok := c.latest(c.user)
	if !ok {
		return errors.New("you have said nothing that could be removed")
	}
	_, err := c.hs.Redact(c.user, c.room, last.ID, "")
	return err
}

func (c *chat) react(key string) error {
	if key == "" {
		return errors.New("/react needs what to react with, such as 👍")
	}
	last, ok := c.latest(c.bot)
	if !ok {
		return errors.New("the bot has said nothing yet")
	}
	return c.send(event.EventReaction, &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: last.ID, Key: key},
	})
}

func (c *chat) toggleThread() (string, error) {
	if c.thread != "" {
		c.thread = ""
		return "you are out of the thread", nil
	}
	last, ok := c.latest("")
	if !ok {
		return "", errors.New("nothing was said that a thread could begin with")
	}
	c.thread = last.ID
	if rel := last.Content.AsMessage().RelatesTo; rel.GetThreadParent() != "" {
		c.thread = rel.GetThreadParent()
	}
	return "you are in a thread now; /thread leaves it", nil
}

// as makes another user speak, who is registered and joined at the first time.
func (c *chat) as(name string) (string, error) {
	user := c.hs.UserID(name)
	if user == c.bot {
		return "", errors.New("the bot speaks for itself")
	}
	if c.hs.Members(c.room)[user] != event.MembershipJoin {
		if _, err := c.hs.Register(name, ""); err != nil {
			return "", err
		}
		creator := c.hs.UserID(demoUser)
		if err := c.hs.SetMembership(creator, c.room, user, "invite"); err != nil {
			return "", err
		}
		if err := c.hs.SetMembership(user, c.room, user, "join"); err != nil {
			return "", err
		}
	}
	c.user, c.thread = user, ""
	return fmt.Sprintf("you are %s now", user), nil
}

func (c *chat) send(typ event.Type, content any) error {
	_, err := c.hs.Send(c.user, c.room, typ, content)
	return err
}

// latest is the last message of a user, or of anybody, that is no edit and was not removed.
func (c *chat) latest(sender id.UserID) (*event.Event, bool) {
	for _, e := range slices.Backward(c.hs.Messages(c.room, sender)) {
		content := e.Content.AsMessage()
		if content.Body != "" && content.RelatesTo.GetReplaceID() == "" {
			return e, true
		}
	}
	return nil, false
}
