package sample

import (
	"context"
	"math/rand/v2"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// ping shows the smallest command.
func ping(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	return c.Reply(ctx, "pong")
}

type echoArgs struct {
	Loud bool   `arg:"--loud,-l" help:"in capitals"`
	Text string `arg:"text,rest" help:"what to say"`
}

// echo shows a flag and an argument that takes all the rest. Whatever the text is, it stays text.
func echo(ctx context.Context, c *niobot.Context, a echoArgs) error {
	if a.Loud {
		a.Text = strings.ToUpper(a.Text)
	}
	return c.Reply(ctx, "%s", a.Text)
}

type addArgs struct {
	A float64 `arg:"a"`
	B float64 `arg:"b"`
}

// add shows numbers: a word that is none is answered with what is wrong, and where.
func add(ctx context.Context, c *niobot.Context, a addArgs) error {
	return c.Reply(ctx, "%g + %g = **%g**", a.A, a.B, a.A+a.B)
}

type chooseArgs struct {
	Options []string `arg:"options" len:"2..20" help:"what to choose from"`
}

// choose shows an argument of several words.
func choose(ctx context.Context, c *niobot.Context, a chooseArgs) error {
	return c.Reply(ctx, "I take **%s**.", a.Options[rand.N(len(a.Options))])
}

type hugArgs struct {
	User id.UserID `arg:"user" help:"whom to hug"`
}

// hug shows a user, who may be given as a pill, a link or an id; a reaction; and a message that mentions somebody.
func hug(ctx context.Context, c *niobot.Context, a hugArgs) error {
	if _, err := c.React(ctx, "🤗"); err != nil {
		return err
	}
	_, err := c.Send(ctx, niobot.Markdown("%v hugs %v", render.User(c.Sender(), ""), render.User(a.User, "")))
	return err
}
