package niobot

import (
	"context"
	"slices"
	"strings"
)

// The reactions of [Context.Confirm].
const (
	keyYes = "👍"
	keyNo  = "👎"
)

// Confirm asks a question with yes or no for an answer:
//
//	ok, err := c.Confirm(ctx, niobot.Markdown("Ban %s?", user))
//
// The bot puts 👍 and 👎 on its question. The user taps on one of them or says one of the words for a bool of package
// arg, such as yes or no; anything else that is said is no answer and is waited over. Otherwise it is [Context.Ask].
// Its own reactions are taken back in the end.
func (c *Context) Confirm(ctx context.Context, body Body, opts ...AskOption) (bool, error) {
	var agreed bool
	q := &question{texts: true, keys: []string{keyYes, keyNo}}
	err := c.pose(ctx, body, newAsking(opts), q, func(ctx context.Context, q *question) error {
		for {
			a, err := q.answer(ctx)
			if err != nil {
				return err
			}
			var ok bool
			if agreed, ok = c.agreement(a); ok {
				return nil
			}
		}
	})
	return agreed, err
}

// agreement is what an answer to [Context.Confirm] says; ok is false for one that is neither yes nor no.
func (c *Context) agreement(a *answer) (agreed, ok bool) {
	said := a.key
	if a.text != nil {
		said = plainKey(strings.Trim(a.text.Body, " \t\r\n.!"))
	}
	for answer, words := range map[bool][]string{
		true:  {keyYes, "yes", "y", "true", "on", "1", c.text(TextYes)},
		false: {keyNo, "no", "n", "false", "off", "0", c.text(TextNo)},
	} {
		if slices.ContainsFunc(words, func(word string) bool { return fold(word) == fold(said) }) {
			return answer, true
		}
	}
	return false, false
}
