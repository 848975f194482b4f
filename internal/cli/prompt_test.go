package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// saidYes is a question whose answers are put into a channel.
func saidYes(text string, over <-chan struct{}) (*question, chan string) {
	answers := make(chan string, 10)
	return &question{text: text, over: over, answer: func(_ context.Context, line string) (string, bool) {
		if line == "" {
			return "say something", false
		}
		answers <- line
		return "thanks", true
	}}, answers
}

// prompted is a prompt that runs until the test ends.
func prompted(t *testing.T) (*typist, *prompt) {
	t.Helper()
	y := newTypist(t)
	p := newPrompt(y, y)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return y, p
}

func ask(t *testing.T, p *prompt, questions ...*question) {
	t.Helper()
	for _, q := range questions {
		if err := p.ask(q); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPromptAsksOneAfterTheOther(t *testing.T) {
	y, p := prompted(t)
	first, firstAnswers := saidYes("first?", nil)
	second, secondAnswers := saidYes("second?", nil)
	ask(t, p, first, second)
	if shown := y.sees("first?\n"); strings.Contains(shown, "second?") {
		t.Errorf("both are asked at once: %q", shown)
	}
	y.press("\n")
	y.sees("say something\n")
	y.press(" one \n")
	y.sees("thanks\nsecond?\n")
	y.press("two\n")
	y.sees("thanks\n")
	y.press("to nobody\n")
	if a, b := <-firstAnswers, <-secondAnswers; a != "one" || b != "two" {
		t.Errorf("the answers are %q and %q", a, b)
	}
	if len(firstAnswers)+len(secondAnswers) > 0 {
		t.Error("an answer to nobody is taken")
	}
}

// What is typed to a question that has just ended is no answer to the next one.
func TestPromptTakesNoLateAnswer(t *testing.T) {
	y, p := prompted(t)
	over := make(chan struct{})
	first, firstAnswers := saidYes("first?", over)
	second, secondAnswers := saidYes("second?", nil)
	ask(t, p, first, second)
	y.sees("first?\n")
	close(over)
	y.sees("Press Enter to go on.\n")
	y.press("yes\n")
	y.sees("second?\n")
	y.press("no\n")
	y.sees("thanks\n")
	if got := <-secondAnswers; got != "no" || len(firstAnswers) > 0 {
		t.Errorf("the second is answered with %q, the first %d times", got, len(firstAnswers))
	}
}

func TestPromptPassesOverWhatHasEnded(t *testing.T) {
	y, p := prompted(t)
	over := make(chan struct{})
	first, _ := saidYes("first?", nil)
	second, _ := saidYes("second?", over)
	third, answers := saidYes("third?", nil)
	ask(t, p, first, second, third)
	y.sees("first?\n")
	close(over)
	y.press("one\n")
	if shown := y.sees("third?\n"); strings.Contains(shown, "second?") {
		t.Errorf("what has ended is asked: %q", shown)
	}
	y.press("three\n")
	if got := <-answers; got != "three" {
		t.Errorf("got %q", got)
	}
}

func TestPromptSaysThatNobodyCanAnswer(t *testing.T) {
	y, p := prompted(t)
	q, _ := saidYes("well?", nil)
	ask(t, p, q)
	y.sees("well?\n")
	y.keys.CloseWithError(errors.New("torn"))
	y.sees("There is no input any more: questions stay without an answer. torn\n")
}

func TestPromptIsBounded(t *testing.T) {
	p := newPrompt(strings.NewReader(""), new(strings.Builder))
	q, _ := saidYes("well?", nil)
	for range maxQuestions {
		ask(t, p, q)
	}
	if err := p.ask(q); !errors.Is(err, errBusy) {
		t.Errorf("error %v, want errBusy", err)
	}
}

// What others have named can't pass for a line of the program, nor move the cursor.
func TestPromptShowsNoControlCharacters(t *testing.T) {
	y, p := prompted(t)
	q, _ := saidYes("\x1b[2Jwell?", nil)
	ask(t, p, q)
	if shown := y.sees("well?\n"); strings.Contains(shown, "\x1b") {
		t.Errorf("shown as %q", shown)
	}
	if got := oneLine("a\nb\u202ec"); strings.ContainsAny(got, "\n\u202e") {
		t.Errorf("a name is shown as %q", got)
	}
}

func TestApprovalWaitsForThePerson(t *testing.T) {
	y, p := prompted(t)
	approve := approver(p)
	ended := make(chan error, 1)
	go func() { ended <- approve(t.Context(), "https://example.org/approve") }()
	y.sees("https://example.org/approve\n")
	y.press("\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestApprovalEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPrompt(strings.NewReader(""), new(strings.Builder)) // Nobody asks
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- approver(p)(ctx, "https://example.org/approve") }()
		synctest.Wait()
		cancel(cause)
		if err := <-ended; !errors.Is(err, cause) {
			t.Errorf("error %v, want the context's cause", err)
		}
	})
}
