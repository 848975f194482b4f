// Command crash kills a bot over and over while users speak with it, and finds out whether each command was answered
// exactly once:
//
//	go run -tags goolm ./bench/crash -commands 10000 -kills 100
//	go run -tags goolm ./bench/crash -commands 10000 -kills 100 -store postgres
//	go run -tags goolm ./bench/crash -commands 10000 -kills 100 -standby
//	go run -tags goolm ./bench/crash -commands 2000 -kills 40 -encrypted -users 3
//	go run -tags goolm ./bench/crash -commands 2000 -kills 40 -forgetful
//
// The homeserver is a fake one in this process, which also limits the rate of requests, fails, cuts connections, and
// sends events twice, again, in another order, or not at all until they are asked for. The bot is a process of its own,
// which is killed by SIGKILL while it starts, works and stops. At the end the faults are taken away, and the bot may
// finish. After each kill, the store's file is checked. Where the rooms are encrypted, each user has to read each answer.
// The exit status is 1 where an answer is missing, was given twice or can't be read, and 2 where the run could not be
// made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/niobot/niobot/bench/town"
	"github.com/niobot/niobot/bench/victim"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/pgtest"
)

// options are what the flags say.
type options struct {
	commands int
	kills    int
	seed     uint64
	store    string
	standby  bool
	secret   bool
	forgets  bool
	rooms    int
	users    int
	calm     bool
	keep     string
	patience time.Duration
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == victim.Role {
		os.Exit(victim.Main())
	}
	o, err := readFlags()
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	sound, err := run(ctx, o, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(2)
	case !sound:
		os.Exit(1)
	}
}

func readFlags() (o options, err error) {
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.IntVar(&o.commands, "commands", 1000, "how many `commands` the users say")
	flags.IntVar(&o.kills, "kills", 10, "how often the bot is killed, at least")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "of what is left to chance, but for the times")
	flags.StringVar(&o.store, "store", victim.SQLite, "the bot's store: sqlite or postgres")
	flags.BoolVar(&o.standby, "standby", false, "let a second bot stand by, and take over")
	flags.BoolVar(&o.secret, "encrypted", false, "encrypt all rooms")
	flags.BoolVar(&o.forgets, "forgetful", false,
		"let the homeserver restart at half of the kills, and forget transaction ids by that")
	flags.IntVar(&o.rooms, "rooms", 10, "how many rooms there are")
	flags.IntVar(&o.users, "users", 5, "how many users speak in each")
	flags.BoolVar(&o.calm, "calm", false, "let the homeserver make no faults")
	flags.StringVar(&o.keep, "keep", "", "the `folder` for the store and the bots' logs; without it they are dropped")
	flags.DurationVar(&o.patience, "patience", 3*time.Minute, "how long the bot may take for what is left at the end")
	return o, flags.Parse(os.Args[1:])
}

// run makes the whole run and prints what came of it. sound is false where the bot did wrong.
func run(ctx context.Context, o options, out io.Writer) (sound bool, err error) {
	folder := o.keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "niobot-crash-"); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	} else if err := os.MkdirAll(folder, 0o700); err != nil {
		return false, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return false, err
	}
	logs, err := os.OpenFile(filepath.Join(folder, "bot.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return false, err
	}
	defer logs.Close()
	place := victim.Place{Kind: o.store, At: filepath.Join(folder, "bot.db")}
	switch o.store {
	case victim.SQLite:
		if _, err := os.Stat(place.At); err == nil {
			return false, fmt.Errorf("%s is there already; each run needs a new store", place.At)
		}
	case victim.Postgres:
		address, stop, err := pgtest.Start()
		if err != nil {
			return false, err
		}
		defer stop()
		place.At = address
	default:
		return false, fmt.Errorf("a store of the kind %q does not survive", o.store)
	}
	t, err := town.New(o.rooms, o.users, o.seed, fakehs.Options{Forgetful: o.forgets})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	s, err := newStorm(o, t, place, folder, logs)
	if err != nil {
		return false, err
	}
	defer s.end()
	if o.secret {
		if err := s.encrypt(ctx, folder, logs); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, s.circle.part()) }()
	} else {
		t.Listen()
	}
	if err := s.rage(ctx); err != nil {
		return false, err
	}
	return s.report(out)
}
