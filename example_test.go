package niobot_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
)

func ExampleNew() {
	_, err := niobot.New(niobot.Config{
		Homeserver: "ftp://example.org",
		Owners:     []id.UserID{"me"},
	})
	fmt.Println(err)
	// Output:
	// niobot: Config.Homeserver: "ftp://example.org" has the scheme "ftp"; only http and https are spoken
	// niobot: Config.Token: is empty; log in once to get an access token
	// niobot: Config.Prefixes: is empty, so no message could be a command; set a prefix such as "!", or WithMention
	// niobot: Config.Owners[0]: "me" is no user id; one looks like @name:example.org
}

func ExampleNewCommand() {
	type banArgs struct {
		User   id.UserID     `arg:"user" help:"who to ban"`
		For    time.Duration `arg:"--for,-f" default:"24h" help:"how long"`
		Reason string        `arg:"reason,rest" default:"no reason"`
	}
	ban := niobot.NewCommand("ban", func(ctx context.Context, c *niobot.Context, a banArgs) error {
		return c.Reply(ctx, "**Done.** See you in %s.", a.For)
	}, niobot.Describe("Ban someone for a while."), niobot.Alias("b"))
	fmt.Println(ban, ban.Usage())
	for _, p := range ban.Params() {
		fmt.Println("-", p.Name, "takes a", p.Kind)
	}
	// Output:
	// ban <user> [--for 24h] [reason…]
	// - user takes a user
	// - for takes a duration
	// - reason takes a text
}

func ExampleMarkdown() {
	body := niobot.Markdown("**%s** says hello", "<b>Mallory</b> @room")
	fmt.Println(body.Text)
	fmt.Println(body.HTML)
	fmt.Println("mentions the room:", body.Mentions.Room)
	// Output:
	// <b>Mallory</b> @room says hello
	// <strong>&lt;b&gt;Mallory&lt;/b&gt; @room</strong> says hello
	// mentions the room: false
}

func ExampleConvert() {
	type colour struct{ red, green, blue byte }
	type paintArgs struct {
		Colour colour `arg:"colour"`
	}
	hex := arg.ConverterFunc[colour](func(_ context.Context, text string) (c colour, err error) {
		if n, _ := fmt.Sscanf(text, "#%02x%02x%02x", &c.red, &c.green, &c.blue); n != 3 {
			return c, arg.Reject("%q is not a colour like #ff8800", text)
		}
		return c, nil
	})
	paint := niobot.NewCommand("paint", func(ctx context.Context, c *niobot.Context, a paintArgs) error {
		return c.Reply(ctx, "So much red: %d", a.Colour.red)
	}, niobot.Convert(hex))
	fmt.Println(paint.Usage())
	// Output: <colour>
}

func ExampleUse() {
	// A middleware that tells how long a command took.
	timed := func(next niobot.Handler) niobot.Handler {
		return func(ctx context.Context, c *niobot.Context) error {
			begin := time.Now()
			defer func() { c.Logger().Info("command done", "duration", time.Since(begin)) }()
			return next(ctx, c)
		}
	}
	cmd := niobot.NewCommand("sleep", func(context.Context, *niobot.Context, niobot.NoArgs) error { return nil },
		niobot.Use(timed))
	fmt.Println(cmd)
	// Output: sleep
}

func ExampleCheckError() {
	// A check of one's own: the reason is what the user reads.
	quiet := func(_ context.Context, c *niobot.Context) error {
		if strings.HasPrefix(c.Room.Topic(), "quiet") {
			return &niobot.CheckError{Check: "quiet room", Reason: "This room wants to be quiet."}
		}
		return nil
	}
	cmd := niobot.NewCommand("sing", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "La la la!")
	}, niobot.Require(quiet))
	fmt.Println(cmd)
	// Output: sing
}
