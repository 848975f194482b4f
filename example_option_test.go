package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

func ExampleConfig() {
	config := niobot.Config{
		Homeserver: "https://matrix.example.org",
		Token:      "secret",
		Prefixes:   []string{"!"},
		Owners:     []id.UserID{"@me:example.org"},
		Drain:      time.Minute,
	}
	// It may be logged: the token is left out.
	fmt.Println(strings.Contains(fmt.Sprint(config), "secret"))
	// Output: false
}

func ExampleConfigError() {
	_, err := niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret"}, niobot.WithPresence("asleep"))
	if wrong, ok := errors.AsType[*niobot.ConfigError](err); ok {
		fmt.Println(wrong.Field)
	}
	// Output: Config.Prefixes
}

func ExampleWithAutoJoin() {
	// Invites by the owners, into rooms that are not too large.
	bot, err := niobot.New(niobot.Config{
		Homeserver: "example.org",
		Token:      "secret",
		Prefixes:   []string{"!"},
		Owners:     []id.UserID{"@me:example.org"},
	}, niobot.WithAutoJoin(niobot.JoinOwners(), niobot.JoinUpTo(100)))
	fmt.Println(bot != nil, err)
	// Output: true <nil>
}

func ExampleWithPrefixRegexp() {
	// "!ping", "hey bot ping", "Bot, ping"
	prefix := regexp.MustCompile(`(?i)^(!|(hey )?bot[,:]? )`)
	bot, err := niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret"}, niobot.WithPrefixRegexp(prefix))
	fmt.Println(bot != nil, err)
	// Output: true <nil>
}

func ExampleWithTexts() {
	german := map[niobot.Text]string{
		niobot.TextDidYouMean: "`%s` gibt es nicht. Meinst du `%s`?",
		niobot.TextOwnerOnly:  "Das darf nur, wem der Bot gehört.",
	}
	bot, err := niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret", Prefixes: []string{"!"}},
		niobot.WithTexts(func(c *niobot.Context) map[niobot.Text]string {
			if c.Sender().Homeserver() == "example.de" {
				return german
			}
			return nil
		}))
	fmt.Println(bot != nil, err)
	// Output: true <nil>
}

func ExampleErrorHandler() {
	errSoldOut := errors.New("sold out")
	var handler niobot.ErrorHandler = func(ctx context.Context, c *niobot.Context, err error) {
		if errors.Is(err, errSoldOut) {
			_ = c.Reply(ctx, "There is nothing left.")
			return
		}
		niobot.ReplyWithError(ctx, c, err)
	}
	// For one command; niobot.WithErrorHandler is for all.
	buy := niobot.NewCommand("buy", func(context.Context, *niobot.Context, niobot.NoArgs) error { return errSoldOut },
		niobot.OnError(handler))
	fmt.Println(buy)
	// Output: buy
}

// brief is a help of one line.
type brief struct{}

func (brief) List(_ *niobot.Context, sections []niobot.HelpSection) niobot.Body {
	var names []string
	for _, section := range sections {
		for _, cmd := range section.Commands {
			names = append(names, cmd.Path)
		}
	}
	return niobot.Markdown("I know %s.", strings.Join(names, ", "))
}

func (brief) Command(_ *niobot.Context, entry niobot.HelpEntry) niobot.Body {
	return niobot.Markdown("`%s`: %s", entry.Line, entry.Summary)
}

func ExampleHelpFormat() {
	fmt.Println(brief{}.List(nil, []niobot.HelpSection{
		{Commands: []niobot.HelpEntry{{Path: "ping"}}},
		{Module: "clock", Commands: []niobot.HelpEntry{{Path: "date"}, {Path: "time"}}},
	}))
	fmt.Println(brief{}.Command(nil, niobot.HelpEntry{Line: "!time [zone]", Summary: "Show the time."}))
	// Output:
	// I know ping, date, time.
	// !time [zone]: Show the time.
}
