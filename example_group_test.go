package niobot_test

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
)

func ExampleNewGroup() {
	// Arguments that commands share are a struct that theirs embed.
	type keyArgs struct {
		Key string `arg:"key"`
	}
	type setArgs struct {
		keyArgs
		Value string `arg:"value,rest"`
	}
	values := map[string]string{}
	config := niobot.NewGroup("config",
		niobot.Describe("Look at settings, or change them."),
		niobot.Sub(
			niobot.NewCommand("get", func(ctx context.Context, c *niobot.Context, a keyArgs) error {
				return c.Reply(ctx, "%s is %s.", a.Key, values[a.Key])
			}),
			niobot.NewCommand("set", func(ctx context.Context, c *niobot.Context, a setArgs) error {
				values[a.Key] = a.Value
				return c.Reply(ctx, "%s is %s now.", a.Key, a.Value)
			}, niobot.Require(niobot.OwnerOnly())),
		))
	for _, cmd := range config.Subcommands() {
		fmt.Println(config, cmd, cmd.Usage())
	}
	// Output:
	// config get <key>
	// config set <key> <value…>
}

// nothing is a handler that has nothing to do.
func nothing(context.Context, *niobot.Context, niobot.NoArgs) error { return nil }

func ExampleWith() {
	reload := niobot.NewCommand("reload", nothing)
	shutdown := niobot.NewCommand("shutdown", nothing, niobot.Alias("halt"))
	// An option for several commands, which have no group.
	fmt.Println(niobot.With(niobot.Require(niobot.OwnerOnly()), reload, shutdown))
	// Output: [reload shutdown]
}

func ExampleOptions() {
	// What several commands have in common, as one option.
	costly := niobot.Options(
		niobot.Require(niobot.Any(niobot.OwnerOnly(), niobot.SenderPower(50))),
		niobot.Cooldown(3, time.Hour, niobot.PerRoom),
		niobot.RejectAbove(1))
	fmt.Println(niobot.NewCommand("report", nothing, costly))
	// Output: report
}

func ExampleSenderCan() {
	// Whoever may do it by hand may have the bot do it. An action is a function; niobot has names for the usual ones.
	changingTopic := niobot.Sending(event.StateTopic)
	topic := niobot.NewCommand("topic", nothing,
		niobot.Require(niobot.SenderCan(changingTopic), niobot.BotCan(changingTopic)))
	purge := niobot.NewCommand("purge", nothing,
		niobot.Require(niobot.SenderCan(niobot.Redacting), niobot.BotCan(niobot.Redacting)))
	fmt.Println(topic, purge)
	// Output: topic purge
}

func ExampleBot_Command() {
	bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret", Prefixes: []string{"!"}}))
	bot.Add(niobot.NewGroup("config", niobot.Alias("cfg"), niobot.Sub(niobot.NewCommand("get", nothing))))
	found, ok := bot.Command("cfg get")
	fmt.Println(found, ok)
	fmt.Println(bot.Commands())
	// Output:
	// get true
	// [config help]
}

func ExampleBot_Add() {
	defer func() { fmt.Println(recover()) }()
	bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret", Prefixes: []string{"!"}}))
	bot.Add(
		niobot.NewCommand("roll", nothing, niobot.Alias("r")),
		niobot.NewCommand("report", nothing, niobot.Alias("r")))
	// Output: niobot: command "report": the name "r" is taken by command "roll"
}
