package niobot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/niobot/niobot/arg"
)

// MaxChoices is how many options [Context.Choose] takes.
const MaxChoices = 100

// maxTaps is how many options have a reaction to tap on.
const maxTaps = 10

// Choose lets the user choose one of the options, which are text, and returns its index:
//
//	i, err := c.Choose(ctx, niobot.Plain("Which size?"), []string{"small", "large"})
//
// The options stand below the question with numbers. Up to ten of them have a reaction to tap on (1️⃣ to 🔟), which the
// bot puts there and takes back; the user may also say the number, or the option in any case. Anything else that is
// said is waited over. More than ten have no reactions, and a text that is none of them is told so as a wrong answer of
// [Ask] is. Otherwise it is [Context.Ask].
func (c *Context) Choose(ctx context.Context, body Body, options []string, opts ...AskOption) (int, error) {
	switch {
	case len(options) == 0:
		return 0, errors.New("choose: there are no options")
	case len(options) > MaxChoices:
		return 0, fmt.Errorf("choose: %d options are more than %d", len(options), MaxChoices)
	case slices.ContainsFunc(options, func(o string) bool { return strings.TrimSpace(o) == "" }):
		return 0, errors.New("choose: an option is empty")
	}
	set := newAsking(opts)
	chosen := 0
	q := &question{texts: true, keys: tapsFor(len(options))}
	err := c.pose(ctx, choices(body, options), set, q, func(ctx context.Context, q *question) error {
		if len(options) > maxTaps {
			return c.untilRight(ctx, q, set.tries, func(m *Message) error {
				var ok bool
				if chosen, ok = choiceOf(options, m.Body); !ok {
					return &arg.Error{Text: m.Body, Reason: fmt.Sprintf(c.text(TextChoose), len(options))}
				}
				return nil
			})
		}
		for {
			a, err := q.answer(ctx)
			if err != nil {
				return err
			}
			said := a.key
			if a.text != nil {
				said = a.text.Body
			}
			var ok bool
			if chosen, ok = choiceOf(options, said); ok {
				return nil
			}
		}
	})
	return chosen, err
}

// choices is the question with the options below it.
func choices(question Body, options []string) Body {
	format := strings.Builder{}
	format.WriteString("%s\n")
	args := []any{question}
	for i, option := range options {
		if len(options) <= maxTaps {
			format.WriteString("\n%s %s")
			args = append(args, tap(i), option)
			continue
		}
		fmt.Fprintf(&format, "\n%d. %%s", i+1)
		args = append(args, option)
	}
	return Markdown(format.String(), args...)
}

// tapsFor are the reactions for so many options; none where they are too many.
func tapsFor(options int) (keys []string) {
	for i := range options {
		if options <= maxTaps {
			keys = append(keys, tap(i))
		}
	}
	return keys
}

// tap is the reaction for an option: a keycap.
func tap(option int) string {
	if option == maxTaps-1 {
		return "🔟"
	}
	return strconv.Itoa(option+1) + "\uFE0F\u20E3"
}

// choiceOf is the option that was said: itself, its number, or its keycap.
func choiceOf(options []string, said string) (option int, ok bool) {
	said = strings.TrimSpace(said)
	for i, option := range options {
		if fold(strings.TrimSpace(option)) == fold(said) {
			return i, true
		}
	}
	for i := range options {
		if said == strconv.Itoa(i+1) || i < maxTaps && plainKey(said) == plainKey(tap(i)) {
			return i, true
		}
	}
	return 0, false
}
