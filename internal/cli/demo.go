package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/cli/sample"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/testbed"
)

// Who is in the demo's room, by localpart.
const (
	demoBot  = "bot"
	demoUser = "alice"
)

// runDemo lets the user chat with the sample bot.
func runDemo(ctx context.Context, env Env, flags *flag.FlagSet) error {
	level := logLevel(flags)
	if err := parse(env, flags); err != nil {
		return err
	}
	if screen, ok := openScreen(env); ok {
		defer screen.restore()
		d, err := startDemo(ctx, niobot.WithLogger(newLogger(screen.logs, *level)))
		if err != nil {
			return err
		}
		return errors.Join(d.onTerminal(ctx, screen), d.close())
	}
	d, err := startDemo(ctx, niobot.WithLogger(newLogger(env.Stderr, *level)))
	if err != nil {
		return err
	}
	return errors.Join(d.throughPipe(ctx, env.Stdin, env.Stdout), d.close())
}

// demo is a homeserver with a bot, a user and a room for both.
type demo struct {
	chat    *chat
	settler *testbed.Settler
	stop    context.CancelFunc
	ended   chan struct{} // Closed when the bot has ended
	err     error         // Of the bot; set when ended is closed
}

// startDemo returns when the bot is ready.
func startDemo(ctx context.Context, opts ...niobot.Option) (*demo, error) {
	hs := fakehs.New(fakehs.Options{})
	d, err := startOn(ctx, hs, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the demo: %w", err), hs.Close())
	}
	return d, nil
}

func startOn(ctx context.Context, hs *fakehs.Server, opts []niobot.Option) (*demo, error) {
	url, err := hs.Listen()
	if err != nil {
		return nil, err
	}
	botID, err := hs.Register(demoBot, "")
	if err != nil {
		return nil, err
	}
	session, err := hs.LogIn(botID, "")
	if err != nil {
		return nil, err
	}
	user, err := hs.Register(demoUser, "")
	if err != nil {
		return nil, err
	}
	room, err := hs.NewRoom(user, "private_chat", botID)
	if err != nil {
		return nil, err
	}
	bot, err := niobot.New(niobot.Config{
		Homeserver: url,
		Token:      session.Token,
		Prefixes:   []string{"!"},
		Owners:     []id.UserID{user},
		Drain:      -1, // A question that nobody answers does not hold up the end.
	}, append(opts, niobot.WithErrorHandler(answerError))...)
	if err != nil {
		return nil, err
	}
	bot.Add(sample.Commands()...)

	d := &demo{
		chat:  &chat{hs: hs, room: room, bot: botID, user: user},
		ended: make(chan struct{}),
	}
	bed := &testbed.Bed{Homeserver: url, Token: session.Token}
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
	d.stop = stop
	go func() {
		defer close(d.ended)
		d.err = bot.Run(running)
	}()
	select {
	case <-bot.Ready():
		return d, nil
	case <-d.ended:
		stop()
		if d.err == nil {
			return nil, context.Cause(ctx)
		}
		return nil, d.err
	}
}

// close ends bot and homeserver and returns what the bot ended with, if it did so by itself.
func (d *demo) close() error {
	d.stop()
	<-d.ended
	return errors.Join(d.err, d.chat.hs.Close())
}

// throughPipe takes each line as a message or command, and prints what the bot did before it takes the next. It
// returns at the end of the input, at /quit, or when ctx ends.
func (d *demo) throughPipe(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
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
		if err := catchUp(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}
