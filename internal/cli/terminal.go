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
	s := &screen{term: term.NewTerminal(rw, ""), style: colours, restore: func() {}}
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

// onTerminal lets the user chat until Ctrl-D, Ctrl-C, /quit, or the end of ctx or the bot.
//
// A read of a terminal can't be interrupted: where ctx or the bot ends first, the goroutine that reads is left to end
// with the next line, or with the process.
func (d *demo) onTerminal(ctx context.Context, s *screen) error {
	ctx, stopped := context.WithCancelCause(ctx)
	defer stopped(nil)
	if err := s.println(s.style.aside + strings.ReplaceAll(greeting, "\n", s.style.reset+"\n"+s.style.aside) +
		s.style.reset); err != nil {
		return err
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		show := newTranscript(d.chat.bot, s.style)
		var failed error
		_, err := d.chat.hs.WaitFor(ctx, d.chat.room, func(e *event.Event) bool {
			if text := show.event(e); text != "" {
				failed = s.println(text)
			}
			return failed != nil
		})
		if failed != nil || ctx.Err() == nil {
			stopped(errors.Join(failed, err))
		}
	})
	defer watching.Wait()
	read := make(chan error, 1)
	go func() { read <- d.converse(ctx, s) }()
	defer stopped(nil) // Before waiting
	select {
	case err := <-read:
		if errors.Is(err, io.EOF) || errors.Is(err, errQuit) {
			return nil
		}
		return err
	case <-d.ended:
		return nil
	case <-ctx.Done():
		if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}
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
		for text := range strings.Lines(answer) {
			if err := s.println(s.style.aside + clean(strings.TrimSuffix(text, "\n")) + s.style.reset); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demo) prompt(s *screen) string {
	where := ""
	if d.chat.thread != "" {
		where = " (thread)"
	}
	return fmt.Sprintf("%s%s%s> ", d.chat.user.Localpart(), s.style.aside+where, s.style.reset)
}
