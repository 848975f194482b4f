package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/cli/sample"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/testbed"
	"github.com/niobot/niobot/store/memory"
)

// Who is in the demo's room, by localpart.
const (
	demoBot  = "bot"
	demoUser = "alice"
)

// runDemo lets the user chat with the sample bot, or with one of the user's own.
func runDemo(ctx context.Context, env Env, flags *flag.FlagSet) error {
	own := flags.Bool("own-bot", false, "")
	level := logLevel(flags)
	if err := parse(env, flags); err != nil {
		return err
	}
	screen, onTerminal := openScreen(env)
	if !onTerminal && *own {
		return errors.New("--own-bot needs a terminal: of a bot in another program, nobody knows when it has answered")
	}
	logs := env.Stderr
	if onTerminal {
		defer screen.restore()
		logs = screen.logs
	}
	d, err := newDemo()
	if err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	if !*own {
		if err := d.startBot(ctx, newLogger(logs, *level)); err != nil {
			return fmt.Errorf("start the demo: %w", errors.Join(err, d.close()))
		}
	}
	if onTerminal {
		return errors.Join(d.onTerminal(ctx, screen), d.close())
	}
	return errors.Join(d.throughPipe(ctx, env.Stdin, env.Stdout), d.close())
}

// demo is a homeserver with an account for a bot, a user, and a room for both.
type demo struct {
	chat    *chat
	url     string           // The base URL of the homeserver
	token   string           // Of the bot's account
	settler *testbed.Settler // nil without the sample bot, as are the ones below
	stop    context.CancelFunc
	ended   chan struct{} // Closed when the bot has ended
	err     error         // Of the bot; set when ended is closed
}

// newDemo starts the homeserver.
func newDemo() (*demo, error) {
	hs := fakehs.New(fakehs.Options{})
	d, err := newDemoOn(hs)
	if err != nil {
		return nil, errors.Join(err, hs.Close())
	}
	return d, nil
}

func newDemoOn(hs *fakehs.Server) (*demo, error) {
	url, err := hs.Listen()
	if err != nil {
		return nil, err
	}
	bot, err := hs.Register(demoBot, "")
	if err != nil {
		return nil, err
	}
	session, err := hs.LogIn(bot, "")
	if err != nil {
		return nil, err
	}
	user, err := hs.Register(demoUser, "")
	if err != nil {
		return nil, err
	}
	room, err := hs.NewRoom(user, "private_chat", bot)
	if err != nil {
		return nil, err
	}
	return &demo{chat: &chat{hs: hs, room: room, bot: bot, user: user}, url: url, token: session.Token}, nil
}

// forgetful is a store in memory that does not say so: of a demo, everybody knows that nothing outlives it.
type forgetful struct{ niobot.Store }

// startBot runs the sample bot, and returns when it is ready.
func (d *demo) startBot(ctx context.Context, logger *slog.Logger) error {
	bot, err := niobot.New(niobot.Config{
		Homeserver: d.url,
		Token:      d.token,
		Prefixes:   []string{"!"},
		Owners:     []id.UserID{d.chat.user},
		Drain:      -1, // A question that nobody answers does not hold up the end.
	}, niobot.WithLogger(logger), niobot.WithErrorHandler(answerError), niobot.WithStore(forgetful{memory.New()}))
	if err != nil {
		return err
	}
	bot.Add(sample.Commands()...)
	bed := &testbed.Bed{Homeserver: d.url, Token: d.token}
	d.settler = testbed.NewSettler(bed, func(ctx context.Context, m testbed.Marker) error {
		client, err := bot.Client(ctx)
		if err != nil {
			return err
		}
		return client.SetAccountData(ctx, testbed.MarkerType, m)
	})
	bot.On(event.Type{Type: testbed.MarkerType}, func(_ context.Context, e *niobot.Event) error {
		var m testbed.Marker
		if err := e.Decode(&m); err != nil {
			return err
		}
		d.settler.Saw(m)
		return nil
	})
	running, stop := context.WithCancel(testbed.Put(ctx, bed))
	d.stop, d.ended = stop, make(chan struct{})
	go func() {
		defer close(d.ended)
		d.err = bot.Run(running)
	}()
	select {
	case <-bot.Ready():
		return nil
	case <-d.ended:
		return d.err // nil where ctx has ended, which the chat will see, too
	}
}

// close ends bot and homeserver.
func (d *demo) close() error {
	if d.stop != nil {
		d.stop()
		<-d.ended
	}
	return d.chat.hs.Close()
}

// throughPipe takes each line as a message or command, and prints what the bot did before it takes the next. It
// returns at the end of the input, at /quit, or when ctx ends.
func (d *demo) throughPipe(ctx context.Context, in io.Reader, out io.Writer) error {
	show := newTranscript(d.chat.bot, plain)
	shown := 0
	catchUp := func() error {
		if err := d.settler.Settle(ctx, d.ended); err != nil {
			return err
		}
		timeline := d.chat.hs.Timeline(d.chat.room)
		for _, e := range timeline[shown:] {
			if text := show.event(e); text != "" {
				if _, err := fmt.Fprintln(out, text); err != nil {
					return err
				}
			}
		}
		shown = len(timeline)
		return nil
	}
	for line, err := range linesOf(ctx, in) {
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		answer, err := d.chat.input(line)
		switch {
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			answer = err.Error()
		}
		if answer != "" {
			if _, err := fmt.Fprintln(out, answer); err != nil {
				return err
			}
		}
		switch err := catchUp(); {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, testbed.ErrEnded):
			return d.err
		case err != nil:
			return err
		}
	}
	return nil
}
