package e2ee

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee/verify"
)

// VerifyCommand makes the command verify, by which owners answer verifications where nobody sits at the bot's terminal:
//
//	!verify             shows the emoji of the sender's verifications that wait for an answer, each with its code
//	!verify yes CODE    they are the same as on the sender's device
//	!verify no CODE     they differ: the verification ends
//
// Owners see and answer the verifications of their own devices and those of the bot's account, nobody else's. The code
// is made from the keys, as the emoji are: an answer can't be turned to another verification.
//
// What is compared has to come by a way that who stands between bot and owner can't change. The terminal and the log of
// the bot are such a way. A message is one only where it is encrypted, between devices that know each other already: a
// server that has put itself in between can change a message in the clear, and the emoji in it. Require [CrossSigned]
// where that matters; then the first verification is done at the terminal.
//
// Options are added to the command's, such as another [niobot.Require].
func VerifyCommand(enc *Encryption, opts ...niobot.CommandOption) *niobot.Command {
	opts = append([]niobot.CommandOption{
		niobot.Describe("Compare emoji, to verify me."), niobot.Require(niobot.OwnerOnly()),
	}, opts...)
	return niobot.NewCommand("verify", func(ctx context.Context, c *niobot.Context, a verifyArgs) error {
		return answerVerification(ctx, c, enc.Verifier(), a)
	}, opts...)
}

type verifyArgs struct {
	Answer string `arg:"answer,optional" choices:"yes,no" help:"whether the emoji are the same"`
	Code   string `arg:"code,optional" help:"the code that stands beside them"`
}

func answerVerification(ctx context.Context, c *niobot.Context, engine *verify.Engine, a verifyArgs) error {
	if engine == nil {
		return c.Reply(ctx, "I have no encryption.")
	}
	open := comparedBy(engine, c)
	if a.Answer == "" {
		return showVerifications(ctx, c, open)
	}
	at := slices.IndexFunc(open, func(s *verify.Session) bool { return verificationCode(s) == a.Code })
	if at < 0 {
		return c.Reply(ctx, "No verification of that code waits for you.")
	}
	err := settleVerification(ctx, open[at], a.Answer)
	switch refused := (*verify.CancelError)(nil); {
	case errors.Is(err, verify.ErrState), errors.As(err, &refused):
		return c.Reply(ctx, "Too late: it is %s.", open[at].State().String())
	case err != nil:
		return err
	}
	_, err = c.React(ctx, "✅")
	return err
}

func settleVerification(ctx context.Context, s *verify.Session, answer string) error {
	if answer == "yes" {
		return s.Confirm(ctx)
	}
	return s.Mismatch(ctx)
}

// comparedBy are the verifications that the sender of a command may answer and that wait for it.
func comparedBy(engine *verify.Engine, c *niobot.Context) (open []*verify.Session) {
	for _, s := range engine.Sessions() {
		user := s.Peer().User
		if s.State() == verify.StateComparing && (user == c.Sender() || user == c.Bot().UserID()) {
			open = append(open, s)
		}
	}
	slices.SortFunc(open, func(a, b *verify.Session) int {
		return strings.Compare(verificationCode(a), verificationCode(b))
	})
	return open
}

func showVerifications(ctx context.Context, c *niobot.Context, open []*verify.Session) error {
	if len(open) == 0 {
		return c.Reply(ctx, "No verification waits for you. Begin one on your device, and come back when it shows emoji.")
	}
	for _, s := range open {
		called, code := c.Prefix+c.Called, verificationCode(s)
		err := c.Reply(ctx, "With the device %s, I see: **%s**\n\nIf it shows the same, say `%s yes %s`, else `%s no %s`.",
			string(s.Peer().Device), shownTo(s), called, code, called, code)
		if err != nil {
			return err
		}
	}
	return nil
}

// shownTo is what a person compares.
func shownTo(s *verify.Session) string {
	var shown []string
	for _, emoji := range s.Emoji() {
		shown = append(shown, emoji.String())
	}
	if numbers, ok := s.Decimals(); ok && len(shown) == 0 {
		return fmt.Sprintf("%d %d %d", numbers[0], numbers[1], numbers[2])
	}
	return strings.Join(shown, " · ")
}

// verificationCode names a verification by what is compared in it, so that who answers by it has answered to that.
func verificationCode(s *verify.Session) string {
	if numbers, ok := s.Decimals(); ok {
		return fmt.Sprintf("%d-%d-%d", numbers[0], numbers[1], numbers[2])
	}
	var numbers []string
	for _, emoji := range s.Emoji() {
		numbers = append(numbers, fmt.Sprintf("%02d", emoji.Number))
	}
	return strings.Join(numbers, "-")
}
