//go:build e2e

package e2e

import (
	"context"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/victim"
)

// How the bot of TestCrash is treated.
const (
	crashCommands = 500
	crashKills    = 10
	crashRooms    = 4
	crashLimit    = 8 * time.Minute
	shortestLife  = 3 * time.Second // Of a bot, so that it gets on with its work
	chance        = 3 * time.Second // What a life may be longer than that
)

// TestCrash kills a bot while a user speaks with it. Each command is answered once.
func TestCrash(t *testing.T) {
	for name, start := range starters() {
		t.Run(name, func(t *testing.T) {
			hs := start(t)
			account := hs.Register(t, "bot")
			c := &crash{
				t: t, user: newUser(t, hs, "alice"), logs: t.Output(),
				bot: victim.Bot{
					Program: victimProgram(t), Homeserver: hs.URL(), Token: account.Token,
					Store: victim.Place{Kind: victim.SQLite, At: filepath.Join(t.TempDir(), "bot.db")},
				},
				ledger: ledger.New(account.UserID),
				rng:    rand.New(rand.NewPCG(1, 2)),
			}
			// It lives longer than a user of other scenarios, who has a limit of its own.
			ctx, cancel := context.WithTimeout(t.Context(), crashLimit)
			defer cancel()
			c.user.ctx = ctx
			c.run(account.UserID)
		})
	}
}

// victimProgram builds the program of which the bot is a part.
func victimProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crash")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "goolm", "-o", path, "../bench/crash")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the bot: %v\n%s", err, out)
	}
	return path
}

type crash struct {
	t      *testing.T
	user   *user
	bot    victim.Bot
	ledger *ledger.Ledger
	rng    *rand.Rand
	logs   io.Writer

	process *victim.Process
	rooms   []id.RoomID
	said    int
}

func (c *crash) run(bot id.UserID) {
	c.start()
	defer func() { c.process.Kill() }()
	c.awaitReady()
	for range crashRooms {
		created, err := c.user.CreateRoom(c.user.ctx, &mautrix.ReqCreateRoom{
			Preset: "private_chat", Invite: []id.UserID{bot},
		})
		check(c.t, "create a room", err)
		c.user.awaitJoin(created.RoomID, bot)
		c.rooms = append(c.rooms, created.RoomID)
	}
	c.user.filterBy(&mautrix.Filter{Room: &mautrix.RoomFilter{Timeline: &mautrix.FilterPart{
		Limit: 100, Senders: []id.UserID{bot}, Types: []event.Type{event.EventMessage},
	}}})
	for kill := range crashKills {
		life := time.NewTimer(shortestLife + time.Duration(c.rng.Int64N(int64(chance))))
		c.speak(crashCommands * (kill + 1) / crashKills)
		c.see(c.user.poll(0))
		<-life.C
		c.process.Kill()
		c.start()
	}
	c.awaitReady()
	c.user.await("all answers", func(resp *mautrix.RespSync) bool {
		c.see(resp)
		open, _ := c.ledger.Open()
		return open == 0
	})
	check(c.t, "stop the bot", c.process.Stop())
	c.see(c.user.poll(0)) // What came after the last answer that was missing
	v := c.ledger.Verdict()
	for _, line := range v.Cases {
		c.t.Error(line)
	}
	if v.Asked != crashCommands {
		c.t.Errorf("%d commands were said, want %d", v.Asked, crashCommands)
	}
}

// see enters what the bot said.
func (c *crash) see(resp *mautrix.RespSync) {
	for _, room := range c.rooms {
		if joined := resp.Rooms.Join[room]; joined != nil && joined.Timeline.Limited {
			c.t.Errorf("a sync left out some of the answers in %s", room)
		}
		for _, e := range timeline(resp, room) {
			c.ledger.See(room, parse(c.t, e))
		}
	}
}

// speak says commands until so many are said in all.
func (c *crash) speak(all int) {
	for ; c.said < all; c.said++ {
		room := c.rooms[c.rng.IntN(len(c.rooms))]
		text, want := victim.Line(c.rng, c.said)
		c.ledger.Ask(room, c.user.say(room, text), text, want)
	}
}

func (c *crash) start() {
	c.t.Helper()
	var err error
	c.process, err = c.bot.Start(c.logs)
	check(c.t, "start the bot", err)
}

func (c *crash) awaitReady() {
	c.t.Helper()
	select {
	case <-c.process.Ready():
	case <-c.process.Gone():
		c.t.Fatalf("the bot ended: %v", c.process.Err())
	case <-time.After(scenarioLimit):
		c.t.Fatal("the bot was not ready in time")
	}
}
