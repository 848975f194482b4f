package notice_test

import (
	"context"
	"os"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/release/notice"
)

// A bot that tells its owner, at start and daily, when it should be upgraded.
func ExampleWatch() {
	owners := []id.UserID{"@me:example.org"}
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org",
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
		Owners:     owners,
	}))
	bot.Go(notice.Watch(bot, notice.Options{Owners: owners}))
	_ = bot.Run(context.Background())
}
