package niobot_test

import (
	"context"
	"fmt"

	"github.com/niobot/niobot"
)

// clock is a module: commands that belong together, with what they share.
type clock struct{ zone string }

func (c *clock) Name() string { return "clock" }

func (c *clock) Commands() []*niobot.Command {
	return []*niobot.Command{niobot.NewCommand("time", nothing), niobot.NewCommand("date", nothing)}
}

// Setup is called before the commands are added. What is added through the scope goes with the module.
func (c *clock) Setup(_ context.Context, s *niobot.Scope) error {
	s.OnMessage(func(context.Context, *niobot.Message) error { return nil })
	fmt.Println("set up in", c.zone)
	return nil
}

// Close is called when all that is gone.
func (c *clock) Close(context.Context) error {
	fmt.Println("closed")
	return nil
}

func ExampleModule() {
	ctx := context.Background()
	bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "example.org", Token: "secret", Prefixes: []string{"!"}}))
	module := &clock{zone: "UTC"}
	if err := bot.Mount(ctx, module); err != nil {
		fmt.Println(err)
	}
	fmt.Println(bot.Commands())
	fmt.Println(bot.Mount(ctx, module))
	if err := bot.Unmount(ctx, module); err != nil {
		fmt.Println(err)
	}
	fmt.Println(bot.Commands())
	// Output:
	// set up in UTC
	// [time date help]
	// mount clock: a module of that name is mounted
	// closed
	// [help]
}
