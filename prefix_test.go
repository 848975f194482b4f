package niobot_test

import (
	"context"
	"regexp"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

func prefixes(p ...string) func(*niobot.Config) { return func(c *niobot.Config) { c.Prefixes = p } }

// nio-bot 32 to 36.
func TestCommandIsFoundBehindItsPrefix(t *testing.T) {
	for _, test := range []struct {
		name   string
		config func(*niobot.Config)
		opts   []niobot.Option
		text   string
		want   []string
	}{
		{"the longest prefix wins", prefixes("!", "!!"), nil, "!!echo x", []string{"echo x"}},
		{"the shorter one still counts", prefixes("!!", "!"), nil, "!echo x", []string{"echo x"}},
		{"tab after the name", prefixes("!"), nil, "!echo\tx", []string{"echo x"}},
		{"line end after the name", prefixes("!"), nil, "!echo\nx\n y", []string{"echo x\n y"}},
		{"space before the name", prefixes("!"), nil, "! ping", []string{"pong"}},
		{"space before the prefix", prefixes("!"), nil, " \n !ping", []string{"pong"}},
		{"white space in the prefix", prefixes("hey bot "), nil, "hey bot ping", []string{"pong"}},
		{"white space in the prefix is needed", prefixes("hey bot "), nil, "hey botping", nil},
		{"case of the prefix", prefixes("Bot!"), nil, "bOT!ping", []string{"pong"}},
		{"case of the name", prefixes("!"), nil, "!PiNG", []string{"pong"}},
		{"case of the text stays", prefixes("!"), nil, "!ECHO AbC", []string{"echo AbC"}},
		{"case that changes the length in bytes", prefixes("!ẞ"), nil, "!ßecho ab", []string{"echo ab"}},
		{"letters that fold to two", prefixes("!"), nil, "!ßß ab", []string{"sharp ab"}},
		{"Kelvin", prefixes("k"), nil, "\u212aping", []string{"pong"}},
		{"exact case", prefixes("Bot!"), []niobot.Option{niobot.WithExactCase()}, "bot!ping", nil},
		{"exact case that fits", prefixes("Bot!"), []niobot.Option{niobot.WithExactCase()}, "Bot!ping", []string{"pong"}},
		{"no prefix", prefixes("!"), nil, "ping", nil},
		{"prefix alone", prefixes("!"), nil, "!", nil},
		{"prefix and space alone", prefixes("!"), nil, "! ", nil},
		{"in the middle", prefixes("!"), nil, "say !ping", nil},
		{"regular expression", prefixes(), []niobot.Option{niobot.WithPrefixRegexp(regexp.MustCompile(`(?i:ok bot)[,:]?\s+`))},
			"OK Bot, ping", []string{"pong"}},
		{"regular expression that matches nothing", prefixes(),
			[]niobot.Option{niobot.WithPrefixRegexp(regexp.MustCompile(``))}, "ping", []string{"pong"}},
		{"regular expression that matches later", prefixes(),
			[]niobot.Option{niobot.WithPrefixRegexp(regexp.MustCompile(`!`))}, "x !ping", nil},
		{"function", prefixes("!"), []niobot.Option{niobot.WithPrefixFunc(func(_ *niobot.Room, sender id.UserID) []string {
			return []string{"", sender.Localpart() + "? "}
		})}, "alice? ping", []string{"pong"}},
		{"empty prefix of a function", prefixes("!"), []niobot.Option{niobot.WithPrefixFunc(
			func(*niobot.Room, id.UserID) []string { return []string{""} })}, "ping", nil},
		{"user id", prefixes(), []niobot.Option{niobot.WithMention()}, "@bot:localhost: ping", []string{"pong"}},
		{"user id without colon", prefixes(), []niobot.Option{niobot.WithMention()}, "@bot:localhost ping", []string{"pong"}},
		{"other user id", prefixes(), []niobot.Option{niobot.WithMention()}, "@bot:localhost2 ping", nil},
		{"name without a mention", prefixes(), []niobot.Option{niobot.WithMention()}, "bot: ping", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			type args struct {
				Text string `arg:"text,rest,optional"`
			}
			sharp := niobot.NewCommand("ẞẞ", func(ctx context.Context, c *niobot.Context, a args) error {
				return c.Reply(ctx, "%s", "sharp "+a.Text)
			})
			inHouse(t, setting{config: test.config, opts: test.opts, commands: []*niobot.Command{sharp}}, func(h *house) {
				h.alice.say(test.text)
				h.wantSaid(test.want...)
			})
		})
	}
}

func TestMentionIsAPrefixWhereItIsOne(t *testing.T) {
	inHouse(t, setting{config: prefixes(), opts: []niobot.Option{niobot.WithMention()}}, func(h *house) {
		pill := render.User(h.botID, "bot")
		body := render.Markdown("%s: ping", pill)
		_, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, body.Content(event.MsgText))
		h.must(err)
		h.wantSaid("pong")
	})
}

func TestOnlyTextsOfOthersCallCommands(t *testing.T) {
	for _, test := range []struct {
		content string
		opts    []niobot.Option
		want    []string
	}{
		{`{"msgtype":"m.text","body":"!ping"}`, nil, []string{"pong"}},
		{`{"msgtype":"m.notice","body":"!ping"}`, nil, nil},
		{`{"msgtype":"m.notice","body":"!ping"}`, []niobot.Option{niobot.WithNotices()}, []string{"pong"}},
		{`{"msgtype":"m.emote","body":"!ping"}`, nil, nil},
		{`{"msgtype":"m.image","body":"!ping","url":"mxc://x/y"}`, nil, nil},
		{`{"msgtype":"m.image","body":"!ping","filename":"cat.png","url":"mxc://x/y"}`, nil, []string{"pong"}},
		{`{"msgtype":"m.text","body":"> <@x:y> !ping\n\nno","m.relates_to":{"m.in_reply_to":{"event_id":"$x"}}}`, nil, nil},
		{`{"msgtype":"m.text","body":"> <@x:y> no\n\n!ping","m.relates_to":{"m.in_reply_to":{"event_id":"$x"}}}`, nil,
			[]string{"pong"}},
	} {
		t.Run(test.content, func(t *testing.T) {
			inHouse(t, setting{opts: test.opts}, func(h *house) {
				_, err := h.hs.InjectTimeline(h.room, []byte(`{"type":"m.room.message","event_id":"$injected",`+
					`"sender":"@alice:localhost","origin_server_ts":1,"content":`+test.content+`}`))
				h.must(err)
				h.wantSaid(test.want...)
			})
		})
	}
}

// nio-bot 26: by the user id that the server tells.
func TestBotDoesNotAnswerItself(t *testing.T) {
	for name, test := range map[string]struct {
		opts []niobot.Option
		want []string
	}{
		"by default":                 {nil, []string{"!ping"}},
		"other devices, where asked": {[]niobot.Option{niobot.WithOwnMessages(), niobot.WithMessageType(event.MsgText)}, []string{"!ping"}},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{opts: test.opts}, func(h *house) {
				if h.bot.UserID() != h.botID {
					t.Errorf("the bot takes itself for %q", h.bot.UserID())
				}
				_, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain("!ping"), niobot.AsType(event.MsgText))
				h.must(err)
				h.wantSaid(test.want...)
			})
		})
	}
}

// nio-bot 50: by identity, not by name.
func TestRemoveTakesOnlyThatCommand(t *testing.T) {
	bot := newBot(t)
	first, second := command("x", ping2, niobot.Alias("y")), command("x", ping2)
	bot.Add(first)
	if !bot.Remove(first) || bot.Remove(first) {
		t.Error("a command is removed once")
	}
	bot.Add(second)
	if bot.Remove(first) {
		t.Error("a command that is not there was removed")
	}
	if cmd, ok := bot.Command("X"); !ok || cmd != second {
		t.Errorf("found %v", cmd)
	}
	if _, ok := bot.Command("y"); ok {
		t.Error("the alias is still there")
	}
}

// nio-bot 62: a help of one's own has the arguments that it declares.
func TestOwnHelpTakesThePlaceOfTheBuiltIn(t *testing.T) {
	bot := newBot(t)
	if _, ok := bot.Command("h"); !ok {
		t.Error("the built-in help has no alias h")
	}
	own := command("help", ping2)
	bot.Add(own)
	if cmd, ok := bot.Command("help"); !ok || cmd != own {
		t.Errorf("help is %v", cmd)
	}
	if cmd, ok := bot.Command("h"); ok {
		t.Errorf("h is still %v of the built-in help", cmd)
	}
	bot.Remove(own)
	if _, ok := bot.Command("h"); !ok {
		t.Error("the built-in help is not back")
	}
}
