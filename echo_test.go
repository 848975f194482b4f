package niobot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// busy is a command that says something in each way, and does not end before the bot does.
func busy() *niobot.Command {
	return niobot.NewCommand("busy", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if err := c.Reply(ctx, "text"); err != nil {
			return err
		}
		if err := c.EditReply(ctx, "edited"); err != nil {
			return err
		}
		if _, err := c.React(ctx, "👍"); err != nil {
			return err
		}
		if _, err := c.Send(ctx, niobot.Plain("queued"), niobot.Queued()); err != nil {
			return err
		}
		gone, err := c.Send(ctx, niobot.Plain("gone"))
		if err != nil {
			return err
		}
		if err := gone.Redact(ctx, ""); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
}

// forgetful is a setting of a homeserver that forgets transaction ids when it restarts.
func forgetful(commands ...*niobot.Command) (setting, *mortal) {
	s, store := mortalSetting(commands...)
	s.server.Forgetful = true
	return s, store
}

// wantEvents checks how many events the bot has sent in all.
func (h *house) wantEvents(want int) {
	h.t.Helper()
	h.settle()
	sent := 0
	for _, e := range h.hs.Timeline(h.room) {
		if e.Sender == h.botID && e.StateKey == nil {
			sent++
		}
	}
	if sent != want {
		h.t.Errorf("the bot sent %d events, want %d", sent, want)
	}
}

func TestForgetfulServerIsSentNothingTwiceAfterACrash(t *testing.T) {
	for name, test := range map[string]struct {
		before time.Duration // Of the crash: whether the bot has stored the events as they came back
		talk   int           // How much is said while the bot is down
	}{
		"stored":     {before: time.Second},
		"next sync":  {},
		"in a gap":   {talk: 120},
		"behind one": {before: time.Second, talk: 120},
	} {
		t.Run(name, func(t *testing.T) {
			s, store := forgetful(busy())
			inHouse(t, s, func(h *house) {
				h.alice.say("!busy")
				h.settle()
				h.pass(test.before)
				h.wantEvents(6)
				h.crash(store)
				h.must(h.hs.Restart(h.t.Context()))
				for n := range test.talk {
					h.alice.say(fmt.Sprint(n))
				}
				h.up(s)
				h.pass(time.Minute)
				h.wantEvents(6)
				h.crash(store)
				h.must(h.hs.Restart(h.t.Context()))
				h.up(s)
				h.pass(time.Minute)
				h.wantEvents(6)
			})
		})
	}
}

func TestForgetfulServerIsSentNothingTwiceAfterAnOrderlyRestart(t *testing.T) {
	s := kept(setting{commands: []*niobot.Command{busy()}, server: fakehs.Options{Forgetful: true}})
	inHouse(t, s, func(h *house) {
		h.alice.say("!busy")
		h.pass(time.Second)
		h.wantEvents(6)
		h.down()
		h.must(h.hs.Restart(h.t.Context()))
		h.up(s)
		h.pass(time.Minute)
		h.wantEvents(6)
	})
}

// The answer to the send is lost, and so is the transaction id.
func TestForgetfulServerThatRestartsIsSentNothingTwice(t *testing.T) {
	s, _ := forgetful()
	inHouse(t, s, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Cut: fakehs.CutAfter, Count: 1})
		h.alice.say("!echo one")
		h.settle()
		h.must(h.hs.Restart(h.t.Context()))
		h.pass(time.Minute)
		h.wantSaid("echo one")
		h.alice.say("!echo two")
		h.wantSaid("echo one", "echo two")
	})
}

// The process crashed after the server had the message and before it had the server's answer.
func TestAnswerThatTheCrashKeptFromTheBotIsNotSentAgain(t *testing.T) {
	for name, before := range map[string]time.Duration{"stored": 100 * time.Millisecond, "next sync": 0} {
		t.Run(name, func(t *testing.T) {
			s, store := forgetful()
			inHouse(t, s, func(h *house) {
				h.fail(fakehs.Fault{Path: "/send/", Cut: fakehs.CutAfter, Count: 1})
				h.alice.say("!echo one")
				h.settle()
				h.pass(before)
				h.crash(store)
				h.must(h.hs.Restart(h.t.Context()))
				h.up(s)
				// What is known to be there is not waited for.
				h.pass(100 * time.Millisecond)
				sends := 0
				for _, r := range h.hs.Requests() {
					if r.User == h.botID && r.Pattern == "/_matrix/client/v3/rooms/{room}/send/{type}/{txn}" {
						sends++
					}
				}
				h.wantSaid("echo one")
				h.pass(time.Minute)
				h.wantSaid("echo one")
				h.alice.say("!echo two")
				h.wantSaid("echo one", "echo two")
				if sends != 1 {
					t.Errorf("%d sends were made, want 1", sends)
				}
			})
		})
	}
}

func TestQueuedMessageIsSentOnceThoughTheServerForgets(t *testing.T) {
	for name, stored := range map[string]bool{"stored": true, "next sync": false} {
		t.Run(name, func(t *testing.T) {
			s, store := forgetful()
			inHouse(t, s, func(h *house) {
				h.fail(fakehs.Fault{Path: "/send/", Cut: fakehs.CutAfter, Count: 1})
				if outbox := niobot.Table("outbox"); !stored {
					store.last.Store(&outbox)
				}
				_, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain("news"), niobot.Queued())
				h.must(err)
				h.pass(100 * time.Millisecond)
				h.crash(store)
				store.last.Store(nil)
				h.must(h.hs.Restart(h.t.Context()))
				h.up(s)
				h.pass(time.Minute)
				h.wantSaid("news")
			})
		})
	}
}
