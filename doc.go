// Package niobot is a framework for Matrix bots.
//
// A bot is made by [New] from a [Config], is given commands by [Bot.Add], and works in [Bot.Run] until its context
// ends. A command is a name and a handler whose last parameter is a struct: the text after the command's name is
// turned into that struct by the rules of package arg.
package niobot
