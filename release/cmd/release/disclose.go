package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/release"
	"github.com/niobot/niobot/release/announce"
)

// tokenVariable is the environment variable with the token of the bot that announces.
const tokenVariable = "NIOBOT_TOKEN"

const discloseUsage = `Usage: go tool release disclose ID

Discloses a fault, once its releases are published: on the remote and in the module proxy (GOPROXY). The advisory is
written into the folder that release/project.toml names, for people and, in the OSV format, for scanners; commit and
push it. Then a bot announces it in the support room, to everybody there. The bot's token is read from NIOBOT_TOKEN.
Run again, it announces nothing twice.
`

func runDisclose(ctx context.Context, e env, flags *flag.FlagSet) error {
	args, err := parse(e, flags, 1, "the id of an advisory")
	if err != nil {
		return err
	}
	cutter, err := e.cutter(ctx)
	if err != nil {
		return err
	}
	proxy, err := release.ProxyOf(e.getenv("GOPROXY"))
	if err != nil {
		return err
	}
	token := strings.TrimSpace(e.getenv(tokenVariable))
	if token == "" {
		return errors.New(tokenVariable + " is not set; it holds the access token of the bot that announces")
	}
	logger := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	discloser := &release.Discloser{
		Cutter: cutter, Proxy: proxy,
		Announcer: announce.Matrix{Token: token, Options: []niobot.Option{niobot.WithLogger(logger)}},
	}
	done, err := discloser.Disclose(ctx, args[0])
	if err != nil {
		return err
	}
	for _, file := range done.Files {
		fmt.Fprintf(e.stdout, "wrote %s\n", file)
	}
	if done.Again {
		fmt.Fprintf(e.stdout, "announced before in %s\n", cutter.Project.SupportRoom)
		return nil
	}
	fmt.Fprintf(e.stdout, "announced in %s\n", cutter.Project.SupportRoom)
	return nil
}
