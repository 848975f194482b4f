package niobot

// Must returns the bot, and panics where [New] gave an error. It is for programs that can do nothing without their bot.
func Must(bot *Bot, err error) *Bot {
	if err != nil {
		panic(err)
	}
	return bot
}
