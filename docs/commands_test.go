package docs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in commands.md, piece by piece.

type announceArgs struct {
	Room  id.RoomID     `arg:"room" help:"where"`
	Text  string        `arg:"text,rest" len:"1..2000" help:"what to say"`
	After time.Duration `arg:"--after,-a" default:"0s" max:"24h" help:"how long to wait"`
	Loud  bool          `arg:"--loud" help:"mention everybody"`
}

type keyArgs struct {
	Key string `arg:"key" match:"[a-z]+" help:"which setting"`
}

type setArgs struct {
	keyArgs
	Value string `arg:"value,rest" help:"what it shall be"`
}

type settings map[string]string

func (s settings) command() *niobot.Command {
	return niobot.NewGroup("settings",
		niobot.Describe("Look at the settings, or change them."),
		niobot.Alias("set"),
		niobot.Sub(
			niobot.NewCommand("get", s.get, niobot.Describe("Show a setting.")),
			niobot.NewCommand("put", s.put, niobot.Describe("Change a setting."), niobot.Require(niobot.OwnerOnly())),
		))
}

func (s settings) get(ctx context.Context, c *niobot.Context, a keyArgs) error {
	return c.Reply(ctx, "%s is `%s`.", a.Key, s[a.Key])
}

func (s settings) put(ctx context.Context, c *niobot.Context, a setArgs) error {
	s[a.Key] = a.Value
	return c.Reply(ctx, "%s is `%s` now.", a.Key, a.Value)
}

func weekdays(_ context.Context, c *niobot.Context) error {
	switch c.Message.Time().Weekday() {
	case time.Saturday, time.Sunday:
		return &niobot.CheckError{Check: "weekdays", Reason: "I rest at weekends."}
	}
	return nil
}

func timed(next niobot.Handler) niobot.Handler {
	return func(ctx context.Context, c *niobot.Context) error {
		begin := time.Now()
		defer func() { c.Logger().Info("handler returned", "duration", time.Since(begin)) }()
		return next(ctx, c)
	}
}

var reportCommand = niobot.NewCommand("report", report,
	niobot.Describe("Write the report.\n\nIt takes a while, and shows what was done since the last one."),
	niobot.Require(niobot.Any(niobot.OwnerOnly(), niobot.SenderPower(50))),
	niobot.Cooldown(3, time.Hour, niobot.PerRoom),
	niobot.RejectAbove(1),
	niobot.Use(timed))

var errNothingDone = errors.New("nothing was done")

func report(context.Context, *niobot.Context, niobot.NoArgs) error { return errNothingDone }

func tellErrors(ctx context.Context, c *niobot.Context, err error) {
	switch missing, ok := errors.AsType[*niobot.PowerError](err); {
	case ok:
		_ = c.Reply(ctx, "For that, make me a moderator: it takes a power level of %d.", missing.Need)
	case errors.Is(err, errNothingDone):
		_ = c.Reply(ctx, "There is nothing to report.")
	default:
		niobot.ReplyWithError(ctx, c, err)
	}
}

type shortHelp struct{}

func (shortHelp) List(_ *niobot.Context, sections []niobot.HelpSection) niobot.Body {
	var names []string
	for _, section := range sections {
		for _, command := range section.Commands {
			names = append(names, command.Path)
		}
	}
	return niobot.Markdown("I know %s.", strings.Join(names, ", "))
}

func (shortHelp) Command(_ *niobot.Context, entry niobot.HelpEntry) niobot.Body {
	return niobot.Markdown("`%s`: %s", entry.Line, entry.Summary)
}

func newOfficeBot(config niobot.Config) (*niobot.Bot, error) {
	bot, err := niobot.New(config,
		niobot.WithErrorHandler(tellErrors),
		niobot.WithHelpFormat(shortHelp{}))
	if err != nil {
		return nil, err
	}
	bot.Add(settings{"colour": "red"}.command())
	bot.Add(niobot.With(niobot.Require(weekdays), reportCommand)...)
	return bot, nil
}

// That was shown.

func testConfig() niobot.Config {
	return niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}}
}

func TestOfficeBot(t *testing.T) {
	hs := niobottest.Start(t, niobot.Must(newOfficeBot(testConfig())))
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!settings get colour")
	alice.ExpectReply("colour is red.")
	alice.Say(room, "!set put colour blue")
	alice.ExpectReply("Only the bot's owner may do that.")
	alice.Say(room, "!settings get COLOUR")
	alice.ExpectReplyMatch("key: ")
	alice.Say(room, "!help settings")
	alice.ExpectReply("!settings: Look at the settings, or change them.")
	alice.Say(room, "!report")
	alice.ExpectReplyMatch(`^(There is nothing to report|I rest at weekends)\.$`) // It depends on the day.
}

func TestAnnounceUsage(t *testing.T) {
	cmd := niobot.NewCommand("announce", func(context.Context, *niobot.Context, announceArgs) error { return nil })
	text := documents(t)["commands.md"]
	if usage := "!announce " + cmd.Usage(); !strings.Contains(text, usage) {
		t.Errorf("commands.md does not show %q", usage)
	}
}
