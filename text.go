package niobot

import (
	"context"
	"strings"
)

// Text is something that niobot itself says to users: a format for [Markdown] in English, by which its translations
// are found. See [WithTexts].
type Text string

// The texts. The comments say what their arguments are.
const (
	TextDisabled     Text = "That command is switched off."
	TextFailed       Text = "Something went wrong with `%s`. It has been logged."               // the name that was called
	TextUsage        Text = "Usage: `%s`"                                                       // the command line
	TextCooldown     Text = "`%s` needs a rest. Try again in %s."                               // the name, a duration
	TextBusy         Text = "`%s` is already running. Try again in a moment."                   // the name
	TextDidYouMean   Text = "There is no `%s`. Did you mean `%s`?"                              // both as command lines
	TextNoSubcommand Text = "`%s` has no `%s`. Call it alone to see what it has."               // the group, the word
	TextNoCommand    Text = "There is no command `%s`."                                         // the word
	TextCommands     Text = "**Commands**"                                                      // no arguments
	TextAlso         Text = "also: %s"                                                          // aliases
	TextOneOf        Text = "one of %s"                                                         // choices
	TextDefault      Text = "default %s"                                                        // a default
	TextOwnerOnly    Text = "Only the bot's owner may do that."                                 // no arguments
	TextDirectOnly   Text = "That works only in a direct room with me."                         // no arguments
	TextOtherServer  Text = "Users of your server may not do that."                             // no arguments
	TextOtherRoom    Text = "That does not work in this room."                                  // no arguments
	TextSenderPower  Text = "That takes a power level of %d, and yours is %d."                  // needed, had
	TextBotPower     Text = "For that I need a power level of %d in this room, and mine is %d." // needed, had
	TextNot          Text = "That does not work here."                                          // no arguments
)

// WithTexts lets the bot speak other languages. f returns the translations for whom the call comes from, such as by the
// room or the sender, and nil for English; texts that it lacks stay English. A translation is a format with the same
// verbs, in the same order or numbered (%[2]s); one with other verbs is passed over. f is called whenever niobot says
// something, from several goroutines.
//
// The reasons of wrong arguments come from package arg in English; an [ErrorHandler] can put them differently, by the
// fields of [arg.Error].
func WithTexts(f func(c *Context) map[Text]string) Option {
	return func(s *settings) {
		if f == nil {
			s.wrong("WithTexts", "the function is nil")
			return
		}
		s.texts = f
	}
}

// text is a text in the caller's language.
func (c *Context) text(t Text) string {
	if f := c.bot.settings.texts; f != nil {
		if translated, ok := f(c)[t]; ok && strings.Count(translated, "%") == strings.Count(string(t), "%") {
			return translated
		}
	}
	return string(t)
}

// words is a text of niobot's own with its arguments, as a body.
func (c *Context) words(t Text, args ...any) Body { return Markdown(c.text(t), args...) }

// say answers with a text of niobot's own.
func (c *Context) say(ctx context.Context, t Text, args ...any) error {
	_, err := c.Respond(ctx, c.words(t, args...))
	return err
}
