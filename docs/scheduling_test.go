package docs_test

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/render"
	"github.com/niobot/niobot/store/memory"
)

// What follows is shown in scheduling.md, piece by piece.

func watch(bot *niobot.Bot, room id.RoomID, free func() (gigabytes int, err error)) {
	bot.Every("disk", 10*time.Minute, func(ctx context.Context, f *niobot.Firing) error {
		left, err := free()
		if err != nil || left >= 5 {
			return err
		}
		_, err = f.Send(ctx, room, niobot.Markdown("**Only %d GB are left.**", left))
		return err
	})
}

func goodMorning(bot *niobot.Bot, room id.RoomID, in *time.Location) {
	bot.Cron("morning", "0 9 * * 1-5", func(ctx context.Context, f *niobot.Firing) error {
		_, err := f.Send(ctx, room, niobot.Markdown("Good morning! It is %s.", f.Due.Format("Monday, 2 January")))
		return err
	}, niobot.In(in), niobot.Missed(niobot.RunNone))
}

type wakeUp struct {
	Room id.RoomID `json:"room"`
	User id.UserID `json:"user"`
}

func wakeUps(bot *niobot.Bot) *niobot.Job[wakeUp] {
	return niobot.NewJob(bot, "wake up", func(ctx context.Context, f *niobot.Firing, w wakeUp) error {
		_, err := f.Send(ctx, w.Room, niobot.Markdown("Wake up, %v!", render.User(w.User, "")))
		return err
	})
}

func wake(job *niobot.Job[wakeUp]) *niobot.Command {
	type args struct {
		In time.Duration `arg:"in" min:"0s" max:"24h"`
	}
	return niobot.NewCommand("wake", func(ctx context.Context, c *niobot.Context, a args) error {
		if _, err := job.In(c).After(ctx, a.In, wakeUp{c.Room.ID(), c.Sender()}); err != nil {
			return err
		}
		return c.Reply(ctx, "Sleep well.")
	})
}

func storedBot(t *testing.T) *niobot.Bot {
	t.Helper()
	bot, err := niobot.New(niobot.Config{Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"}},
		niobot.WithStore(memory.New()))
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

func TestScheduling(t *testing.T) {
	bot := storedBot(t)
	job := wakeUps(bot)
	bot.Add(wake(job))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!wake 1ms")
	alice.ExpectReply("Sleep well.")
	hs.ExpectMessage(room, "Wake up, "+string(alice.ID())+"!")
	alice.Say(room, "!wake 24h")
	alice.ExpectReply("Sleep well.")
	hs.Settle()
	all, err := job.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Payload.User != alice.ID() {
		t.Errorf("what is set is %+v, %v", all, err)
	}
}

// The clock's jobs are tested where the clock can be moved; here, that they are taken.
func TestRhythms(t *testing.T) {
	bot := storedBot(t)
	watch(bot, "!room:example.org", func() (int, error) { return 10, nil })
	goodMorning(bot, "!room:example.org", time.UTC)
	defer func() {
		if recover() == nil {
			t.Error("a name is taken twice")
		}
	}()
	goodMorning(bot, "!room:example.org", time.UTC)
}
