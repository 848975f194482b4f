package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// maxQuestions is how many questions wait for the person at the terminal; those beyond are dropped.
const maxQuestions = 64

var errBusy = errors.New("too many questions wait for an answer")

// question is something that a person at the terminal is asked.
type question struct {
	text string
	over <-chan struct{} // Closed when no answer is wanted any more; nil: never

	// answer takes a line. It returns what the person is told, and whether it was an answer: if not, the question stands.
	answer func(ctx context.Context, line string) (reply string, done bool)
}

func (q *question) isOver() bool {
	select {
	case <-q.over:
		return true
	default:
		return false
	}
}

// prompt asks a person one question after the other, while a bot runs. Its methods may be called from any goroutine.
type prompt struct {
	in        io.Reader // Read from once there is a question: a program in the background that reads is stopped
	questions chan *question

	mu  sync.Mutex
	out io.Writer
}

func newPrompt(in io.Reader, out io.Writer) *prompt {
	return &prompt{in: in, out: out, questions: make(chan *question, maxQuestions)}
}

// ask has a question asked when the ones before it are answered. It does not wait.
func (p *prompt) ask(q *question) error {
	select {
	case p.questions <- q:
		return nil
	default:
		return errBusy
	}
}

// println shows a text. Where the terminal is gone, nobody is there to be told of it.
func (p *prompt) println(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintln(p.out, clean(text))
}

// run asks until ctx ends.
//
// A line that comes when its question has just ended is an answer to nothing: it is not taken for one to the next
// question, which therefore waits for another line.
func (p *prompt) run(ctx context.Context) {
	done := make(chan struct{})
	defer close(done)
	var (
		lines   <-chan string
		ended   <-chan error
		waiting []*question // The first is being asked
		late    bool        // Whether the next line answers what has ended
	)
	next := func() {
		for len(waiting) > 0 && waiting[0].isOver() {
			waiting = waiting[1:]
		}
		if len(waiting) > 0 {
			p.println(waiting[0].text)
		}
	}
	for {
		var over <-chan struct{}
		if len(waiting) > 0 && !late {
			over = waiting[0].over
		}
		select {
		case <-ctx.Done():
			return
		case q := <-p.questions:
			if lines == nil {
				lines, ended = readLines(p.in, done)
			}
			waiting = append(waiting, q)
			if len(waiting) == 1 && !late {
				next()
			}
		case <-over:
			waiting, late = waiting[1:], true
			p.println("No answer is needed any more. Press Enter to go on.")
		case line := <-lines:
			switch {
			case late:
				late = false
				next()
			case len(waiting) == 0:
			default:
				reply, answered := waiting[0].answer(ctx, strings.TrimSpace(line))
				if reply != "" {
					p.println(reply)
				}
				if answered {
					waiting = waiting[1:]
					next()
				}
			}
		case err := <-ended:
			p.println("There is no input any more: questions stay without an answer. " + errorText(err))
			ended = nil
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
