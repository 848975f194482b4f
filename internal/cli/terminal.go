package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
	"maunium.net/go/mautrix/event"
)

// screen is a terminal with a line that the user edits while other lines come in above it.
type screen struct {
	term    *term.Terminal
	raw     io.Writer // Past the line that is being edited
	style   style
	logs    io.Writer
	size    func() (width, height int, err error)
	restore func()
}

// openScreen takes the terminal over; ok is false where standard input and output are not one, or one that can't move
// its cursor. The screen's restore gives the terminal back as it was.
func openScreen(env Env) (s *screen, ok bool) {
	in, isInput := env.Stdin.(*os.File)
	out, isOutput := env.Stdout.(*os.File)
	if !isInput || !isOutput || env.Getenv("TERM") == "dumb" {
		return nil, false
	}
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, false
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, false
	}
	s = newScreen(struct {
		io.Reader
		io.Writer
	}{in, out}, env)
	s.size = func() (int, int, error) { return term.GetSize(int(out.Fd())) }
	s.restore = sync.OnceFunc(func() {
		// There is nobody left to tell: the program is about to end.
		_ = term.Restore(int(in.Fd()), before)
	})
	if f, ok := env.Stderr.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		s.logs = env.Stderr
	}
	return s, true
}

// newScreen makes a screen of what behaves like a terminal in raw mode.
func newScreen(rw io.ReadWriter, env Env) *screen {
	s := &screen{term: term.NewTerminal(rw, ""), raw: rw, style: colours, restore: func() {}}
	s.logs = s.term
	// See https://no-color.org.
	if env.Getenv("NO_COLOR") != "" {
		s.style = plain
	}
	return s
}

// println shows lines above the one that is being edited.
func (s *screen) println(text string) error {
	_, err := io.WriteString(s.term, text+"\n")
	return err
}

// printAside shows lines by the program itself, which are set off from those of the bot.
func (s *screen) printAside(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if err := s.println(s.style.aside + clean(line) + s.style.reset); err != nil {
			return err
		}
	}
	return nil
}

// readLine lets the user edit a line. It returns [io.EOF] at Ctrl-D and Ctrl-C.
func (s *screen) readLine(prompt string) (string, error) {
	if s.size != nil {
		if width, height, err := s.size(); err == nil && width > 0 {
			// It fails only where the cursor can't be moved, which the next line shows.
			_ = s.term.SetSize(width, height)
		}
	}
	s.term.SetPrompt(prompt)
	return s.term.ReadLine()
}

const greeting = `A homeserver and a bot inside this process. Nothing you say leaves it.
Say !help to see what the bot can do, and /help what you can. Ctrl-D ends it.`

// ownGreeting takes the homeserver's address and the token.
const ownGreeting = `A homeserver inside this process, with an account for your bot. In another terminal, start the bot with

  export NIOBOT_HOMESERVER=%s NIOBOT_TOKEN=%s

and talk to it here. /help shows what you can do. Ctrl-D ends it.`

func (d *demo) greeting() string {
	if d.settler == nil {
		return fmt.Sprintf(ownGreeting, d.url, d.token)
	}
	return greeting
}

// onTerminal lets the user chat until Ctrl-D, Ctrl-C, /quit, or the end of ctx or the bot.
//
// A read of a terminal can't be interrupted: where ctx or the bot ends first, the goroutine that reads is left to end
// with the next line, or with the process.
func (d *demo) onTerminal(ctx context.Context, s *screen) error {
	if err := s.printAside(d.greeting()); err != nil {
		return err
	}
	talk, stop := context.WithCancel(ctx)
	watched, read := make(chan error, 1), make(chan error, 1)
	var watching sync.WaitGroup
	watching.Go(func() { watched <- d.watch(talk, s) })
	go func() { read <- d.converse(talk, s) }()
	defer watching.Wait()
	defer stop()
	var err error
	select {
	case err = <-read:
		if errors.Is(err, errQuit) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	case err = <-watched:
	case <-d.ended:
		err = d.err
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		err = nil
	}
	_, _ = io.WriteString(s.raw, "\r\n") // What follows begins a line; where the terminal is gone, nothing follows.
	return err
}

// watch shows what the bot does until ctx ends, or the terminal is gone.
func (d *demo) watch(ctx context.Context, s *screen) error {
	show := newTranscript(d.chat.bot, s.style)
	var failed error
	_, err := d.chat.hs.WaitFor(ctx, d.chat.room, func(e *event.Event) bool {
		if text := show.event(e); text != "" {
			failed = s.println(text)
		}
		return failed != nil
	})
	return errors.Join(failed, err)
}

// converse reads lines until there are no more, or ctx ends.
func (d *demo) converse(ctx context.Context, s *screen) error {
	for ctx.Err() == nil {
		line, err := s.readLine(d.prompt(s))
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		answer, err := d.chat.input(line)
		if errors.Is(err, errQuit) {
			return err
		} else if err != nil {
			answer = err.Error()
		}
		if answer == "" {
			continue
		}
		if err := s.printAside(answer); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) prompt(s *screen) string {
	where := ""
	if d.chat.thread != "" {
		where = s.style.aside + " (thread)" + s.style.reset
	}
	return d.chat.user.Localpart() + where + "> "
}
