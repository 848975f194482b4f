package niobot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// fields are the fields of all mistakes in an error of New.
func fields(err error) (names []string) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			names = append(names, fields(e)...)
		}
		return names
	}
	var mistake *niobot.ConfigError
	if errors.As(err, &mistake) {
		names = append(names, mistake.Field)
	}
	return names
}

func TestNewTellsOfAllMistakesAtOnce(t *testing.T) {
	_, err := niobot.New(niobot.Config{
		Homeserver: "ftp://matrix.example.org",
		Token:      "token\n",
		Prefixes:   []string{"!", " ", ""},
		Owners:     []id.UserID{"@me:example.org", "me", "@:x", id.UserID("@" + strings.Repeat("x", 300) + ":y")},
		Workers:    -1,
	}, niobot.WithLogger(nil), nil, niobot.WithPrefixFunc(nil), niobot.WithMessageCache(-1), niobot.WithReadReceipts(7),
		niobot.WithMessageType("m.image"), niobot.WithPresence("busy"), niobot.WithProxy("gopher://x"),
		niobot.WithAutoJoin(niobot.JoinIf(nil)), niobot.WithErrorHandler(nil), niobot.WithTLS(nil), niobot.WithPrefixRegexp(nil))
	want := []string{
		"Config.Homeserver", "Config.Token", "Config.Prefixes[1]", "Config.Prefixes[2]",
		"Config.Owners[1]", "Config.Owners[2]", "Config.Owners[3]", "Config.Workers",
		"WithLogger", "options[1]", "WithPrefixFunc", "WithMessageCache", "WithReadReceipts", "WithMessageType",
		"WithPresence", "WithProxy", "WithAutoJoin", "WithErrorHandler", "WithTLS", "WithPrefixRegexp",
	}
	if got := fields(err); !slices.Equal(got, want) {
		t.Errorf("mistakes in %q, want %q", got, want)
	}
}

func TestHomeserverIsAURLOrAServerName(t *testing.T) {
	for homeserver, ok := range map[string]bool{
		"https://matrix.example.org": true, "http://localhost:8008/": true, "example.org": true, "example.org:8448": true,
		"https://[::1]:8008": true, "": false, "https://": false, "//example.org": false, "matrix example": false,
		"https://me:secret@example.org": false, "https://me:secret@example.org:port": false, "https://example.org?x": false,
		"wss://example.org": false, "@me:example.org": false, "https://example.org/#x": false, "http://me:secret@[": false,
	} {
		_, err := niobot.New(niobot.Config{Homeserver: homeserver, Token: "t", Prefixes: []string{"!"}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", homeserver, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a password is shown: %v", err)
		}
	}
}

// nio-bot 5: the token is never printed.
func TestTokenIsNotPrinted(t *testing.T) {
	c := niobot.Config{Homeserver: "https://example.org", Token: "s3cret", Prefixes: []string{"!"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, c); strings.Contains(text, "s3cret") {
			t.Errorf("%s shows the token: %s", format, text)
		}
	}
	if text := c.LogValue().String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "[redacted]") {
		t.Errorf("logged as %s", text)
	}
}

func TestConfigIsCopied(t *testing.T) {
	config := niobot.Config{Homeserver: "https://x", Token: "t", Prefixes: []string{"!"}, Owners: []id.UserID{"@a:x"}}
	bot, err := niobot.New(config)
	if err != nil {
		t.Fatal(err)
	}
	config.Owners[0] = "@b:x"
	if !bot.IsOwner("@a:x") || bot.IsOwner("@b:x") {
		t.Error("a change of the slice changed the bot's owners")
	}
}
