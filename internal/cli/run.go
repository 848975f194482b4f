package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"sync"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
	"github.com/niobot/niobot/internal/cli/sample"
	"github.com/niobot/niobot/store/memory"
)

// runFlags are the flags of niobot run.
type runFlags struct {
	*account
	encrypt, reset, standby bool
}

// runBot runs the sample bot on a homeserver until ctx ends.
func runBot(ctx context.Context, env Env, flags *flag.FlagSet) error {
	f := runFlags{account: accountFlags(&env, flags)}
	flags.Func("prefix", "", func(s string) error {
		f.config.Prefixes = append(f.config.Prefixes, s)
		return nil
	})
	flags.Func("owner", "", func(s string) error {
		f.config.Owners = append(f.config.Owners, id.UserID(s))
		return nil
	})
	flags.BoolVar(&f.encrypt, "encrypt", false, "")
	flags.BoolVar(&f.reset, "reset-identity", false, "")
	flags.BoolVar(&f.standby, "standby", false, "")
	if err := parse(env, flags); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if len(f.config.Prefixes) == 0 {
		f.config.Prefixes = []string{"!"}
	}
	logger := newLogger(env.Stderr, *f.level)
	opts := []niobot.Option{niobot.WithLogger(logger), niobot.WithErrorHandler(answerError)}
	if len(f.config.Owners) > 0 {
		opts = append(opts, niobot.WithAutoJoin(niobot.JoinOwners()))
	}
	if f.standby {
		opts = append(opts, niobot.WithStandby())
	}
	if f.store == "" {
		opts = append(opts, niobot.WithStore(forgetful{memory.New()}))
		return f.run(ctx, env, logger, sample.Commands(), opts)
	}
	return f.runWithStore(ctx, env, logger, opts)
}

// check says what is missing, or can't be together.
func (f *runFlags) check() error {
	if err := f.account.check(); err != nil {
		return err
	}
	switch {
	case f.encrypt && f.store == "":
		return &usageError{reason: errors.New("--encrypt needs --store: a device that forgets its keys can't be trusted")}
	case f.standby && f.store == "":
		return &usageError{reason: errors.New("--standby needs --store: that is what is waited for")}
	case f.reset && !f.encrypt:
		return &usageError{reason: errors.New("--reset-identity needs --encrypt")}
	}
	return nil
}

// runWithStore runs the bot on its store, and asks the person at the terminal, if there is one, what verifications and
// the server's approvals need.
func (f *runFlags) runWithStore(ctx context.Context, env Env, logger *slog.Logger, opts []niobot.Option) (err error) {
	store, err := f.open(logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	opts = append(opts, niobot.WithStore(store))
	commands := sample.Commands()
	if f.encrypt {
		compare := &comparison{log: logger}
		options := []e2ee.Option{e2ee.Verification(verify.Policy{}, compare)}
		if env.attended() {
			compare.prompt = newPrompt(env.Stdin, env.Stdout)
			asking, stop := context.WithCancel(ctx)
			var asks sync.WaitGroup
			asks.Go(func() { compare.prompt.run(asking) })
			defer asks.Wait()
			defer stop()
			options = append(options, e2ee.OnApproval(approver(compare.prompt)))
		}
		if f.reset {
			options = append(options, e2ee.AllowReset())
		}
		encryption := f.encryption(&env, store, options...)
		opts = append(opts, niobot.WithEncryption(encryption))
		commands = append(commands, e2ee.VerifyCommand(encryption))
	}
	return f.run(ctx, env, logger, commands, opts)
}

// run runs the bot until ctx ends, and tells once when it is ready.
func (f *runFlags) run(
	ctx context.Context, env Env, logger *slog.Logger, commands []*niobot.Command, opts []niobot.Option,
) error {
	bot, err := niobot.New(f.config, opts...)
	if err != nil {
		return inFlags(err)
	}
	if f.store == "" {
		logger.Warn("what the bot is doing is lost when it ends; --store names a file that keeps it")
	}
	bot.Add(commands...)
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	select {
	case <-bot.Ready():
		fmt.Fprintf(env.Stdout, "running as %s; interrupt to stop\n", bot.UserID())
	case err := <-ended:
		return f.explain(err, "stop the other process, or start this one with --standby")
	}
	return f.explain(<-ended, "stop the other process")
}

// answerError is [niobot.ReplyWithError] but for handlers that were told to end, whose errors are news to nobody.
func answerError(ctx context.Context, c *niobot.Context, err error) {
	if ctx.Err() == nil {
		niobot.ReplyWithError(ctx, c, err)
	}
}
