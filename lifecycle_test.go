package niobot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/leak"
	"github.com/niobot/niobot/niobottest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestCloseMayBeCalledAtAnyTimeAndTwice(t *testing.T) {
	defer leak.VerifyNone(t)
	t.Run("before Run", func(t *testing.T) {
		bot := newBot(t)
		for range 2 {
			if err := bot.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := bot.Run(t.Context()); !errors.Is(err, niobot.ErrClosed) {
			t.Errorf("Run after Close returned %v", err)
		}
	})
	t.Run("while it runs", func(t *testing.T) {
		hs, alice, room := start(t)
		pinged(alice, room)
		both := make(chan error, 2)
		for range 2 {
			go func() { both <- hs.Bot().Close() }()
		}
		for range 2 {
			if err := within(t, "Close returns", both); err != nil {
				t.Error(err)
			}
		}
		if err := hs.Stop(); err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Run("while it can't connect", func(t *testing.T) {
		logs := newRecords()
		bot := unreachable(t, logs)
		ended := make(chan error, 1)
		go func() { ended <- bot.Run(context.Background()) }()
		logs.wait(t, "homeserver is not ready")
		if err := bot.Close(); err != nil {
			t.Error(err)
		}
		if err := within(t, "Run returns", ended); err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// unreachable is a bot whose homeserver refuses connections.
func unreachable(t testing.TB, logs records) *niobot.Bot {
	t.Helper()
	// Port 1 is given to nobody who asks for any port, as other tests do meanwhile.
	return botWith(t, func(c *niobot.Config) { c.Homeserver = "http://127.0.0.1:1" }, logs.option())
}

func TestBotRunsOnce(t *testing.T) {
	hs, _, _ := start(t)
	if err := hs.Bot().Run(t.Context()); !errors.Is(err, niobot.ErrRunning) {
		t.Errorf("a second Run returned %v", err)
	}
	if err := hs.Stop(); err != nil {
		t.Error(err)
	}
	if err := hs.Bot().Run(t.Context()); !errors.Is(err, niobot.ErrClosed) {
		t.Errorf("Run after the first returned %v", err)
	}
}

// nio-bot 25: what runs is waited for, and connections do not leak, also where the start went wrong.
func TestRunLeavesNothingBehind(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	for name, answer := range map[string]http.HandlerFunc{
		"not a homeserver": http.NotFound,
		"no JSON": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>It works!</html>"))
		},
		"null":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("null")) },
		"empty":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"wrong type": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"versions":7,"user_id":[]}`)) },
		"no user": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"versions":["v1.11"],"user_id":"bot"}`))
		},
		"token refused": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "whoami") {
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(`{"errcode":"M_UNKNOWN_TOKEN","error":"no"}`))
				return
			}
			_, _ = w.Write([]byte(`{"versions":["v1.11"]}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			bot := botWith(t, func(c *niobot.Config) { c.Homeserver = server.URL }, newRecords().option())
			bot.Go(func(ctx context.Context) error { <-ctx.Done(); return nil })
			ended := make(chan error, 1)
			go func() { ended <- bot.Run(context.Background()) }()
			err := within(t, "Run returns", ended)
			if err == nil {
				t.Error("Run returned no error")
			}
			if refused := name == "token refused"; errors.Is(err, niobot.ErrUnknownToken) != refused {
				t.Errorf("Run returned %v", err)
			}
		})
	}
	leak.VerifyNone(t, ignored)
}

func TestBusyBotLeavesNothingBehind(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	t.Run("bot", func(t *testing.T) {
		bot := newBot(t)
		bot.Add(niobot.NewCommand("ping", ping), command("ask", ask), command("type",
			func(ctx context.Context, c *niobot.Context) error {
				c.Typing()
				_, err := c.Bot().Typing(ctx, c.Room.ID()) // Which nobody ends.
				return err
			}))
		hs := niobottest.Start(t, bot)
		alice := hs.User("alice")
		room := alice.NewRoom()
		alice.Say(room, "!ask")
		alice.ExpectReply("which?")
		alice.Say(room, "!type")
		pinged(alice, room)
		hs.Settle()
		if err := hs.Stop(); err != nil {
			t.Error(err)
		}
		if stop, err := bot.Typing(t.Context(), room); err != nil {
			t.Error(err)
		} else {
			stop()
		}
	})
	leak.VerifyNone(t, ignored)
}

func TestStopEndsTheLongPollAndAllThatWaits(t *testing.T) {
	waited, worked := make(chan error, 1), make(chan error, 1)
	inHouse(t, setting{
		commands: []*niobot.Command{command("wait", func(ctx context.Context, c *niobot.Context) error {
			_, err := c.WaitForMessage(ctx, nil)
			waited <- err
			return err
		})},
		tune: func(b *niobot.Bot) {
			b.Go(func(ctx context.Context) error {
				<-ctx.Done()
				worked <- context.Cause(ctx)
				return ctx.Err()
			})
		},
	}, func(h *house) {
		h.alice.say("!wait")
		h.settle()
		h.wantPromptStop()
		if _, err := h.bot.WaitFor(context.Background(), niobot.Filter{}); !errors.Is(err, niobot.ErrClosed) {
			t.Errorf("WaitFor of a stopped bot returned %v", err)
		}
	})
	if err := within(t, "the handler that waits ends", waited); !errors.Is(err, niobot.ErrClosed) {
		t.Errorf("WaitFor returned %v", err)
	}
	if err := within(t, "the bot's work ends", worked); !errors.Is(err, niobot.ErrClosed) {
		t.Errorf("the context of the bot's work ended by %v", err)
	}
}

// wantPromptStop stops the bot, and wants it to wait neither for the long poll nor for the drain.
func (h *house) wantPromptStop() {
	h.t.Helper()
	begin := time.Now()
	h.stop()
	<-h.ended
	if took := time.Since(begin); h.err != nil || took > time.Second {
		h.t.Errorf("Run returned %v, %s after the stop", h.err, took)
	}
}

func TestHandlersMayEndWithinTheDrain(t *testing.T) {
	began, gate := make(chan bool), make(chan bool)
	bot := newBot(t)
	bot.Add(command("slow", func(ctx context.Context, c *niobot.Context) error {
		began <- true
		<-gate
		return c.Reply(ctx, "done")
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!slow")
	within(t, "the handler starts", began)
	ended := make(chan error, 1)
	go func() { ended <- hs.Stop() }()
	select {
	case <-ended:
		t.Error("Run returned while a handler ran")
	case gate <- true:
	}
	alice.ExpectReply("done")
	if err := within(t, "Run returns", ended); err != nil {
		t.Error(err)
	}
}

func TestDrainThatIsNegativeCancelsHandlersAtOnce(t *testing.T) {
	cause := make(chan error, 1)
	inHouse(t, setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{command("slow", func(ctx context.Context, _ *niobot.Context) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		})},
	}, func(h *house) {
		h.alice.say("!slow")
		h.settle()
		h.wantPromptStop()
	})
	if err := within(t, "the handler ends", cause); !errors.Is(err, niobot.ErrClosed) {
		t.Errorf("the handler's context ended by %v", err)
	}
}

func TestCommandsThatHaveNotStartedAreDroppedAtTheStop(t *testing.T) {
	began, gate := make(chan bool, 8), make(chan bool)
	bot := botWith(t, workers(1))
	slow := command("slow", func(context.Context, *niobot.Context) error {
		began <- true
		<-gate
		return nil
	}, niobot.Serial())
	bot.Add(slow)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	first := alice.Say(room, "!slow")
	within(t, "the first starts", began)
	second := alice.Say(room, "!slow")
	alice.Edit(second, "!slow again")
	alice.Edit(first, "no command") // Takes no place while the first runs.
	ended := make(chan error, 1)
	go func() { ended <- hs.Stop() }()
	close(gate)
	if err := within(t, "Run returns", ended); err != nil {
		t.Error(err)
	}
}

// A bot that is started together with its server waits for it.
func TestBotWaitsForItsHomeserver(t *testing.T) {
	logs := newRecords()
	bot := unreachable(t, logs)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	logs.wait(t, "WARN", "homeserver is not ready", "request=versions")
	limited, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	if _, err := bot.Send(limited, "!room:example.org", niobot.Plain("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a send with a deadline returned %v", err)
	}
	cancel()
	if err := within(t, "Run returns", ended); err != nil {
		t.Errorf("Run returned %v", err)
	}
}
