// Package niobot is a framework for Matrix bots.
//
// A bot is made by [New] from a [Config], is given commands by [Bot.Add], and works in [Bot.Run] until its context
// ends. A command is a name and a handler whose last parameter is a struct: the text after the command's name is
// turned into that struct by the rules of package arg.
//
//	bot := niobot.Must(niobot.New(niobot.Config{
//		Homeserver: "https://matrix.example.org",
//		Token:      os.Getenv("NIOBOT_TOKEN"),
//		Prefixes:   []string{"!"},
//	}))
//	bot.Add(niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
//		return c.Reply(ctx, "pong")
//	}))
//	log.Fatal(bot.Run(context.Background()))
//
// # The way of an event
//
// A sync response is decoded as it arrives, room by room: state goes into [Room] values, events that have come before
// are dropped, and gaps in a timeline are filled from the server. Then each room's events go one after the other to
// those who wait for them ([Bot.WaitFor]), to listeners ([Bot.On], [Listen]), and to the command that they call, if
// any. A command's run waits for one of [Config.Workers] places; the checks are asked ([Require]), the arguments are
// bound, and the handler is called inside its middleware ([Use]). What it sends keeps its order in each room and is
// repeated, with the same transaction id, until it is on the server or refused.
//
// # Answers
//
// [Context.Reply] answers in Markdown with arguments that stay text, [Context.Respond] with any [Body], which package
// render makes. Replies stay in the command's thread. An edited command runs again and edits its replies; a redacted
// one is cancelled and its replies are redacted.
//
// # Tests
//
// Package niobottest runs a bot on a homeserver inside the test.
package niobot
