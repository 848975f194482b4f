package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/niobot/niobot/e2ee/verify"
)

// comparison shows the verifications of a bot to the person at the terminal, and asks whether the emoji are the same.
// Without anybody there it logs them, and confirms nothing.
type comparison struct {
	prompt *prompt // Nil without a terminal
	log    *slog.Logger
}

var _ verify.Hook = (*comparison)(nil)

// Changed implements [verify.Hook].
func (c *comparison) Changed(_ context.Context, s *verify.Session, state verify.State) {
	switch {
	case c.prompt == nil:
		c.note(s, state)
	case state == verify.StateComparing:
		answer := func(ctx context.Context, line string) (string, bool) { return compare(ctx, s, line) }
		if err := c.prompt.ask(&question{text: comparisonText(s), over: s.Ended(), answer: answer}); err != nil {
			c.log.Warn("a verification is not shown", "user_id", s.Peer().User, "err", err)
		}
	case state == verify.StateDone:
		c.prompt.println(fmt.Sprintf("Verified: %s.", nameOf(s)))
	case state == verify.StateCancelled:
		c.prompt.println(fmt.Sprintf("Not verified: %s. %v", nameOf(s), s.Err()))
	}
}

// note logs what somebody should know who reads the log later. Emoji are no secret: they tell whether both sides talk
// to each other.
func (c *comparison) note(s *verify.Session, state verify.State) {
	attrs := []any{"user_id", s.Peer().User, "device_id", s.Peer().Device, "state", state.String()}
	if state != verify.StateComparing {
		c.log.Info("verification", attrs...)
		return
	}
	c.log.Warn("a verification waits for an owner to compare: by the command verify, or where the bot runs at a terminal",
		append(attrs, "shown", strings.Join(shown(s), ", "))...)
}

// nameOf names the other side, whose device may be called anything.
func nameOf(s *verify.Session) string {
	return fmt.Sprintf("%s with the device %s", s.Peer().User, oneLine(string(s.Peer().Device)))
}

func comparisonText(s *verify.Session) string {
	return fmt.Sprintf("%s wants to verify this bot. Here is what their device has to show:\n\n  %s\n\n"+
		"Type yes if it shows the same, and no if it differs.", nameOf(s), strings.Join(shown(s), "   "))
}

// shown is what is compared: emoji or, where the other side has none, numbers.
func shown(s *verify.Session) []string {
	var all []string
	for _, emoji := range s.Emoji() {
		all = append(all, emoji.String())
	}
	if numbers, ok := s.Decimals(); ok && len(all) == 0 {
		for _, n := range numbers {
			all = append(all, fmt.Sprint(n))
		}
	}
	return all
}

// compare takes the person's answer.
func compare(ctx context.Context, s *verify.Session, line string) (reply string, done bool) {
	var err error
	switch strings.ToLower(line) {
	case "yes":
		err = s.Confirm(ctx)
		reply = "Confirmed. The other side has to confirm, too."
	case "no":
		err = s.Mismatch(ctx)
	default:
		return "Type yes or no.", false
	}
	switch {
	case err == nil && s.State() == verify.StateWaiting:
		return reply, true
	case err == nil, errors.Is(err, verify.ErrState), s.State() == verify.StateCancelled:
		return "", true // How it ended has been shown.
	default:
		return err.Error(), true
	}
}

// approver asks the person at the terminal to approve a step in a browser, and waits for it.
func approver(p *prompt) func(ctx context.Context, url string) error {
	return func(ctx context.Context, url string) error {
		approved := make(chan struct{})
		err := p.ask(&question{
			text: "The server wants this approved. Open the address in a browser as the bot's user, approve, " +
				"and press Enter.\n\n  " + url + "\n",
			over: ctx.Done(),
			answer: func(context.Context, string) (string, bool) {
				close(approved)
				return "", true
			},
		})
		if err != nil {
			return err
		}
		select {
		case <-approved:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
