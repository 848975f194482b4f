package niobot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/testbed"
)

// house is a bot on a homeserver, both inside a bubble in which time passes by itself when all wait: tests of waits,
// retries and backoff take no time, and all that is to happen has happened when settle returns.
type house struct {
	t     *testing.T
	hs    *fakehs.Server
	bot   *niobot.Bot
	botID id.UserID
	token string
	logs  records
	alice *guest
	room  id.RoomID // Of alice and the bot
	stop  context.CancelFunc
	ended chan struct{}
	err   error // What Run returned; set when ended is closed
}

// guest is somebody who talks to the bot.
type guest struct {
	*mautrix.Client
	h *house
}

// setting is how a test's bot is made.
type setting struct {
	config   func(*niobot.Config)
	opts     []niobot.Option
	commands []*niobot.Command
	server   fakehs.Options
	before   func(h *house) // Called before the bot runs
	tune     func(*niobot.Bot)
}

// inHouse runs f with a bot that answers !ping and !echo, in a room with alice.
func inHouse(t *testing.T, s setting, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, logs: newRecords(), ended: make(chan struct{})}
		h.hs = fakehs.New(s.server)
		session := h.register("bot")
		h.botID, h.token = session.UserID, session.Token
		h.alice = h.guest("alice")
		config := niobot.Config{Homeserver: "http://localhost", Token: "token", Prefixes: []string{"!"}}
		if s.config != nil {
			s.config(&config)
		}
		bot, err := niobot.New(config, append([]niobot.Option{h.logs.option()}, s.opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		h.bot = bot
		bot.Add(niobot.NewCommand("ping", ping), echo())
		bot.Add(s.commands...)
		if s.tune != nil {
			s.tune(bot)
		}
		if s.before != nil {
			s.before(h)
		}
		ctx, cancel := context.WithCancel(h.bed(context.Background()))
		h.stop = cancel
		go func() {
			defer close(h.ended)
			h.err = bot.Run(ctx)
		}()
		defer func() {
			h.stop()
			<-h.ended
			if err := h.hs.Close(); err != nil {
				t.Error(err)
			}
		}()
		h.settle()
		if s.before == nil {
			h.room = h.alice.newRoom()
		}
		f(h)
	})
}

// bed is a context in which the bot finds the homeserver.
func (h *house) bed(ctx context.Context) context.Context {
	return testbed.Put(ctx, &testbed.Bed{
		Homeserver: "http://localhost", Token: h.token, Transport: h.hs.Transport(),
	})
}

func (h *house) register(name string) fakehs.Session {
	h.t.Helper()
	user, err := h.hs.Register(name, "password")
	h.must(err)
	session, err := h.hs.LogIn(user, "")
	h.must(err)
	return session
}

func (h *house) guest(name string) *guest {
	h.t.Helper()
	session := h.register(name)
	client, err := mautrix.NewClient("http://localhost", session.UserID, session.Token)
	h.must(err)
	client.Client.Transport = h.hs.Transport()
	return &guest{client, h}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// settle returns when all wait: for requests to the bot's long poll, or for time to pass.
func (h *house) settle() { synctest.Wait() }

// pass lets time pass.
func (h *house) pass(d time.Duration) {
	<-time.After(d)
	h.settle()
}

// fail makes a fault happen to the bot's requests.
func (h *house) fail(f fakehs.Fault) *fakehs.ActiveFault {
	f.User = h.botID
	return h.hs.Fail(f)
}

// newRoom makes a room with the bot in it.
func (g *guest) newRoom() id.RoomID {
	g.h.t.Helper()
	resp, err := g.CreateRoom(g.h.t.Context(), &mautrix.ReqCreateRoom{
		Preset: "private_chat", Invite: []id.UserID{g.h.botID},
	})
	g.h.must(err)
	g.h.settle()
	if m := g.h.hs.Members(resp.RoomID)[g.h.botID]; m != event.MembershipJoin {
		g.h.t.Fatalf("the bot has not joined the room: %q", m)
	}
	return resp.RoomID
}

// say sends a text into the house's room.
func (g *guest) say(text string) id.EventID {
	g.h.t.Helper()
	return g.sayIn(g.h.room, text)
}

func (g *guest) sayIn(room id.RoomID, text string) id.EventID {
	g.h.t.Helper()
	resp, err := g.SendText(g.h.t.Context(), room, text)
	g.h.must(err)
	return resp.EventID
}

// edit replaces the text of a message.
func (g *guest) edit(message id.EventID, text string) {
	g.h.t.Helper()
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	content.SetEdit(message)
	_, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.EventMessage, content)
	g.h.must(err)
}

func (g *guest) redact(message id.EventID) {
	g.h.t.Helper()
	_, err := g.RedactEvent(g.h.t.Context(), g.h.room, message)
	g.h.must(err)
}

// said is what the bot has sent to a room, in order: texts, "edit of <n>: <text>" by the number of the message,
// "gone" for what is redacted.
func (h *house) said(room id.RoomID) (lines []string) {
	numbers := make(map[id.EventID]int)
	for _, e := range h.hs.Messages(room, h.botID) {
		content := e.Content.AsMessage()
		numbers[e.ID] = len(lines)
		switch {
		case content.Body == "":
			lines = append(lines, "gone")
		case content.NewContent != nil:
			lines = append(lines, fmt.Sprintf("edit of %d: %s", numbers[content.RelatesTo.EventID], content.NewContent.Body))
		default:
			lines = append(lines, content.Body)
		}
	}
	return lines
}

// wantSaid settles, and compares all that the bot has sent to the house's room.
func (h *house) wantSaid(want ...string) {
	h.t.Helper()
	h.settle()
	if got := h.said(h.room); !slices.Equal(got, want) {
		h.t.Errorf("the bot said\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// state sets a piece of state in alice's name.
func (g *guest) state(room id.RoomID, typ event.Type, key string, content any) {
	g.h.t.Helper()
	_, err := g.SendStateEvent(g.h.t.Context(), room, typ, key, content)
	g.h.must(err)
}
