// Package sample is the bot that the program niobot shows: small commands, each for something that niobot does.
package sample

import "github.com/niobot/niobot"

// Commands are the bot's commands, made anew at each call.
func Commands() []*niobot.Command {
	return []*niobot.Command{
		niobot.NewCommand("ping", ping, niobot.Describe("See whether I am there.")),
		niobot.NewCommand("echo", echo, niobot.Describe("Say what you say.")),
		niobot.NewCommand("add", add, niobot.Describe("Add two numbers.")),
		niobot.NewCommand("roll", roll, niobot.Alias("dice"), niobot.Describe("Roll dice.")),
		niobot.NewCommand("choose", choose, niobot.Alias("pick"), niobot.Describe("Choose for you.")),
		niobot.NewCommand("hug", hug, niobot.Describe("Hug somebody.")),
		niobot.NewCommand("countdown", countdown, niobot.Describe("Count down, by editing one message.")),
		niobot.NewCommand("ask", ask, niobot.Describe("Ask you a question.")),
	}
}
