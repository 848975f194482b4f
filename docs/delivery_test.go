package docs_test

import (
	"context"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// What follows stands in the README and in the guide to delivery.

func newReliableBot(config niobot.Config) *niobot.Bot {
	db := niobot.Must(sqlite.Open("bot.db"))
	return niobot.Must(niobot.New(config, niobot.WithStore(db)))
}

func newTrustedBot(config niobot.Config) *niobot.Bot {
	db := niobot.Must(sqlite.Open("bot.db"))
	return niobot.Must(niobot.New(config,
		niobot.WithStore(db),
		niobot.WithEncryption(e2ee.New(db, e2ee.RecoveryKeyFile("recovery.key")))))
}

var payCommand = niobot.NewCommand("pay", pay,
	niobot.AtMostOnce(),
	niobot.Require(e2ee.CrossSigned()))

func pay(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	return c.Reply(ctx, "Paid.")
}

func announce(ctx context.Context, bot *niobot.Bot, rooms []id.RoomID, text string) error {
	for _, room := range rooms {
		if _, err := bot.Send(ctx, room, niobot.Plain(text), niobot.Queued()); err != nil {
			return err
		}
	}
	return nil
}

func TestGuideToDelivery(t *testing.T) {
	t.Chdir(t.TempDir())
	config := niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}}
	for _, bot := range []*niobot.Bot{newReliableBot(config), newTrustedBot(config)} {
		bot.Add(payCommand)
		if err := announce(t.Context(), bot, nil, "news"); err != nil {
			t.Error(err)
		}
		if err := bot.Close(); err != nil {
			t.Error(err)
		}
	}
}
