package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/niobottest"
)

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.pass(time.Minute)
		secret := h.alice.newRoom()
		h.alice.state(secret, event.StateEncryption, "", &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
		h.settle()
		before := h.hs.CountRequests(http.MethodPut, "/send/")
		for _, test := range []struct {
			room id.RoomID
			text string
			want error
		}{
			{h.room, "", niobot.ErrEmptyMessage},
			{h.room, " \n\t", niobot.ErrEmptyMessage},
			{h.room, strings.Repeat("x", 200000), niobot.ErrTooLarge},
			{secret, "x", niobot.ErrEncrypted},
		} {
			if _, err := h.bot.Send(h.t.Context(), test.room, niobot.Plain(test.text)); !errors.Is(err, test.want) {
				t.Errorf("a send of %d bytes returned %v, want %v", len(test.text), err, test.want)
			}
		}
		if n := h.hs.CountRequests(http.MethodPut, "/send/") - before; n != 0 {
			t.Errorf("%d requests were made", n)
		}
		if _, err := h.bot.Send(h.t.Context(), "!elsewhere:localhost", niobot.Plain("x")); err == nil {
			t.Error("no error for a room that the bot is not in")
		}
	})
}

func TestSendsKeepTheOrderOfTheirRoomAndHoldUpNoOther(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		other := h.alice.newRoom()
		h.fail(fakehs.Fault{Path: "/rooms/" + string(h.room) + "/send/", Status: 429, Count: 2,
			RetryAfter: time.Minute, RetryForm: fakehs.RetryInBody})
		var want []string
		for _, text := range numbered(10, "") {
			go func() { _, _ = h.bot.Send(h.t.Context(), h.room, niobot.Plain(text)) }()
			h.settle() // The next call comes after this one has queued.
			want = append(want, text)
		}
		_, err := h.bot.Send(h.t.Context(), other, niobot.Plain("x"))
		h.must(err)
		if got := h.said(other); !slices.Equal(got, []string{"x"}) {
			t.Errorf("in the other room, the bot said %q", got)
		}
		h.wantSaid()
		h.pass(3 * time.Minute)
		h.wantSaid(want...)
	})
}

func TestSendWaitsNoLongerThanItsContext(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Status: 429, RetryAfter: time.Minute, RetryForm: fakehs.RetryInBody})
		ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := h.bot.Send(ctx, h.room, niobot.Plain("x")); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("returned %v after %s", err, time.Since(start))
		}
	})
}

// nio-bot 72: what a user writes makes no mention, no link and no markup.
func TestEchoedTextIsText(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		const text = "@room @alice:localhost <b>x</b> **y** [z](https://example.org)"
		h.alice.say("!echo " + text)
		h.wantSaid("echo " + text)
		content := h.hs.Messages(h.room, h.botID)[0].Content.AsMessage()
		if m := content.Mentions; m == nil || m.Room || len(m.UserIDs) > 0 {
			t.Errorf("mentions %+v", m)
		}
		if strings.Contains(content.FormattedBody, "<b>") || strings.Contains(content.FormattedBody, "<a ") ||
			strings.Contains(content.FormattedBody, "<strong>") {
			t.Errorf("the HTML is %s", content.FormattedBody)
		}
	})
}

// nio-bot 81: a reply to a command in a thread stays there.
func TestReplyStaysInTheThread(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		root := h.alice.say("root")
		content := &event.MessageEventContent{MsgType: event.MsgText, Body: "!ping"}
		content.RelatesTo = &event.RelatesTo{Type: event.RelThread, EventID: root, IsFallingBack: true,
			InReplyTo: &event.InReplyTo{EventID: root}}
		resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, content)
		h.must(err)
		h.wantSaid("pong")
		rel := h.hs.Messages(h.room, h.botID)[0].Content.AsMessage().RelatesTo
		if rel.GetThreadParent() != root || rel.GetNonFallbackReplyTo() != resp.EventID {
			t.Errorf("the reply relates to %+v", rel)
		}
	})
}

// nio-bot 63, 64, 65: a listener that was removed is called no more, and nothing is left of it.
func TestListenerThatIsRemovedIsCalledNoMore(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		calls := make([]int, 2)
		var remove [2]func()
		for i := range remove {
			remove[i] = h.bot.On(stateType, func(context.Context, *niobot.Event) error { calls[i]++; return nil })
		}
		say := func(n int) {
			h.alice.state(h.room, stateType, "", map[string]int{"n": n})
			h.settle()
		}
		say(1)
		remove[0]()
		remove[0]()
		say(2)
		remove[1]()
		say(3)
		if want := []int{1, 2}; !slices.Equal(calls, want) {
			t.Errorf("called %v times, want %v", calls, want)
		}
	})
}

func TestListenerErrorIsLogged(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.bot.OnMessage(func(context.Context, *niobot.Message) error { return errors.New("out of paper") })
		h.alice.say("!ping")
		h.wantSaid("pong")
		if lines := h.logs.with("ERROR", "out of paper", "room_id="+string(h.room)); len(lines) != 1 {
			t.Errorf("logged %q", lines)
		}
	})
}

// nio-bot 77: an error of the server reaches the caller as what it is.
func TestErrorsOfTheServerReachTheCaller(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Status: 403, ErrCode: "M_FORBIDDEN", Count: 1})
		_, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain("x"))
		var failed mautrix.HTTPError
		if !errors.Is(err, mautrix.MForbidden) || !errors.As(err, &failed) {
			t.Errorf("returned %v", err)
		}
		if _, err := h.bot.ResolveAlias(h.t.Context(), "#none:localhost"); !errors.Is(err, mautrix.MNotFound) {
			t.Errorf("an alias that is none: %v", err)
		}
	})
}

func TestProcessRunsACommandAndReturnsItsError(t *testing.T) {
	wrong := errors.New("wrong")
	var gate chan bool
	cmds := []*niobot.Command{
		command("wrong", func(context.Context, *niobot.Context) error { return wrong }),
		command("slow", func(context.Context, *niobot.Context) error { <-gate; return nil }, niobot.Serial()),
	}
	inHouse(t, setting{before: func(h *house) { gate = make(chan bool); h.bot.Add(cmds...) }}, func(h *house) {
		h.room = h.alice.newRoom()
		n := 0
		process := func(ctx context.Context, text string) error {
			n++
			return h.bot.Process(ctx, &event.Event{
				ID: id.EventID(fmt.Sprintf("$processed%d", n)), RoomID: h.room, Sender: h.alice.UserID, Type: event.EventMessage,
				Content: event.Content{Parsed: &event.MessageEventContent{MsgType: event.MsgText, Body: text}},
			})
		}
		h.must(process(h.t.Context(), "!ping"))
		if err := process(h.t.Context(), "!wrong"); !errors.Is(err, wrong) {
			t.Errorf("returned %v", err)
		}
		if err := process(h.t.Context(), "text"); !errors.Is(err, niobot.ErrNotCommand) {
			t.Errorf("returned %v", err)
		}
		first := make(chan error, 1)
		go func() { first <- process(h.t.Context(), "!slow") }()
		h.settle()
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
		defer cancel()
		if err := process(ctx, "!slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a command that waits for its turn returned %v", err)
		}
		dropped := make(chan error, 1)
		go func() { dropped <- process(h.t.Context(), "!slow") }()
		h.settle()
		h.stop()
		h.settle()
		close(gate)
		if err := <-dropped; !errors.Is(err, niobot.ErrClosed) {
			t.Errorf("a command that was dropped at the stop returned %v", err)
		}
		if err := <-first; err != nil {
			t.Errorf("the command that ran returned %v", err)
		}
		if err := process(h.t.Context(), "!ping"); !errors.Is(err, niobot.ErrClosed) {
			t.Errorf("after the stop, a command returned %v", err)
		}
	})
}

// nio-bot 74: a message is one request.
func TestSendMakesOneRequest(t *testing.T) {
	bot := newBot(t)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	all := hs.Fail(niobottest.Fault{Path: "/rooms/{room}/"}) // Without a cause, it only counts.
	sends := hs.Fail(niobottest.Fault{Path: "/send/"})
	if _, err := bot.Send(t.Context(), room, niobot.Plain("hello")); err != nil {
		t.Fatal(err)
	}
	if all.Hits() != 1 || sends.Hits() != 1 {
		t.Errorf("made %d requests about the room, %d of them sends; want one", all.Hits(), sends.Hits())
	}
}

// nio-bot 82: what is no room id is told from one, before anything is sent.
func TestSendTellsAnAliasFromARoom(t *testing.T) {
	bot := newBot(t)
	niobottest.Start(t, bot)
	for room, want := range map[id.RoomID]string{
		"#tea:localhost":   `send: "#tea:localhost" is an alias and no room id; see Bot.ResolveAlias`,
		"@alice:localhost": `send: "@alice:localhost" is no room id`,
		"":                 `send: "" is no room id`,
	} {
		if _, err := bot.Send(t.Context(), room, niobot.Plain("hello")); err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", room, err, want)
		}
	}
}
