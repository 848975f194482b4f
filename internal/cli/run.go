package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/cli/sample"
)

// tokenVariable is the environment variable with the access token: arguments can be read by everybody on the machine.
const tokenVariable = "NIOBOT_TOKEN"

var errNoToken = errors.New(tokenVariable + ` is not set; it holds the access token of the bot's account

To get one, log in as the bot with Element and look at All settings, Help & About, Advanced, Access Token,
or follow https://github.com/niobot/niobot/blob/main/docs/tutorial.md#on-a-real-homeserver.
To set it without a trace in the shell's history:

  read -rs NIOBOT_TOKEN && export NIOBOT_TOKEN`)

// runBot runs the sample bot on a homeserver until ctx ends.
func runBot(ctx context.Context, env Env, flags *flag.FlagSet) error {
	config := niobot.Config{Token: strings.TrimSpace(env.Getenv(tokenVariable))}
	flags.StringVar(&config.Homeserver, "homeserver", "", "")
	flags.Func("prefix", "", func(s string) error {
		config.Prefixes = append(config.Prefixes, s)
		return nil
	})
	flags.Func("owner", "", func(s string) error {
		config.Owners = append(config.Owners, id.UserID(s))
		return nil
	})
	level := logLevel(flags)
	if err := parse(env, flags); err != nil {
		return err
	}
	if config.Homeserver == "" {
		return &usageError{reason: errors.New("--homeserver is needed")}
	}
	if config.Token == "" {
		return errNoToken
	}
	if len(config.Prefixes) == 0 {
		config.Prefixes = []string{"!"}
	}
	opts := []niobot.Option{niobot.WithLogger(newLogger(env.Stderr, *level)), niobot.WithErrorHandler(answerError)}
	if len(config.Owners) > 0 {
		opts = append(opts, niobot.WithAutoJoin(niobot.JoinOwners()))
	}
	bot, err := niobot.New(config, opts...)
	if err != nil {
		return inFlags(err)
	}
	bot.Add(sample.Commands()...)
	return runUntil(ctx, env, bot)
}

// runUntil runs the bot until ctx ends, and tells once when it is ready.
func runUntil(ctx context.Context, env Env, bot *niobot.Bot) error {
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	select {
	case <-bot.Ready():
		fmt.Fprintf(env.Stdout, "running as %s; interrupt to stop\n", bot.UserID())
	case err := <-ended:
		return err
	}
	return <-ended
}

// answerError is [niobot.ReplyWithError] but for handlers that were told to end, whose errors are news to nobody.
func answerError(ctx context.Context, c *niobot.Context, err error) {
	if ctx.Err() == nil {
		niobot.ReplyWithError(ctx, c, err)
	}
}

// inFlags says what is wrong with a configuration in the words of the command line.
func inFlags(err error) error {
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	} else {
		all = []error{err}
	}
	names := map[string]string{
		"Config.Homeserver": "--homeserver",
		"Config.Token":      tokenVariable,
		"Config.Prefixes":   "--prefix",
		"Config.Owners":     "--owner",
	}
	var said []error
	for _, err := range all {
		var wrong *niobot.ConfigError
		if errors.As(err, &wrong) {
			field, _, _ := strings.Cut(wrong.Field, "[")
			err = fmt.Errorf("%s: %s", cmp.Or(names[field], wrong.Field), wrong.Reason)
		}
		said = append(said, err)
	}
	return &usageError{reason: errors.Join(said...)}
}
