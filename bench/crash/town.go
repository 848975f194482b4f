package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/victim"
	"github.com/niobot/niobot/internal/fakehs"
)

// How users speak.
const (
	meanPause  = 5 * time.Millisecond // Between two commands, whoever says them
	burstShare = 0.004                // Of the commands that begin a burst, more than a sync brings at once
	burstSize  = 70
)

// town is the homeserver, with users in rooms, and the account of what they said and heard.
type town struct {
	hs     *fakehs.Server
	url    string
	bot    id.UserID
	device id.DeviceID
	token  string
	users  []id.UserID
	rooms  []id.RoomID
	ledger *ledger.Ledger

	rng  *rand.Rand // Of the speaker
	said int

	listening sync.WaitGroup
	deafen    context.CancelFunc
}

func newTown(o options) (*town, error) {
	t := &town{hs: fakehs.New(fakehs.Options{}), rng: rand.New(rand.NewPCG(o.seed, 1)), deafen: func() {}}
	if err := t.settle(o); err != nil {
		return nil, errors.Join(fmt.Errorf("set the homeserver up: %w", err), t.hs.Close())
	}
	return t, nil
}

func (t *town) settle(o options) (err error) {
	if t.url, err = t.hs.Listen(); err != nil {
		return err
	}
	if t.bot, err = t.hs.Register("bot", ""); err != nil {
		return err
	}
	session, err := t.hs.LogIn(t.bot, "")
	if err != nil {
		return err
	}
	t.token, t.device = session.Token, session.DeviceID
	for n := range o.users {
		user, err := t.hs.Register(fmt.Sprintf("user%d", n), "")
		if err != nil {
			return err
		}
		t.users = append(t.users, user)
	}
	for range o.rooms {
		room, err := t.hs.NewRoom(t.users[0], "private_chat", append(t.users[1:], t.bot)...)
		if err != nil {
			return err
		}
		t.rooms = append(t.rooms, room)
	}
	t.ledger = ledger.New(t.bot)
	ctx, cancel := context.WithCancel(context.Background())
	t.deafen = cancel
	for _, room := range t.rooms {
		t.listening.Go(func() {
			// It never agrees to an event, so what it returns is that it was ended.
			_, _ = t.hs.WaitFor(ctx, room, func(e *event.Event) bool {
				t.ledger.See(room, e)
				return false
			})
		})
	}
	return nil
}

// speak says n commands, with pauses.
func (t *town) speak(ctx context.Context, n int) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n > 0 {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		several := 1
		if t.rng.Float64() < burstShare {
			several = min(n, burstSize)
		}
		room := t.rooms[t.rng.IntN(len(t.rooms))]
		for range several {
			if err := t.say(room); err != nil {
				return err
			}
		}
		n -= several
		timer.Reset(time.Duration(t.rng.ExpFloat64() * float64(meanPause)))
	}
	return nil
}

func (t *town) say(room id.RoomID) error {
	text, want := victim.Line(t.rng, t.said)
	t.said++
	command, err := t.hs.SendText(t.users[t.rng.IntN(len(t.users))], room, text)
	if err != nil {
		return err
	}
	t.ledger.Ask(room, command, text, want)
	return nil
}

func (t *town) close() error {
	t.deafen()
	t.listening.Wait()
	return t.hs.Close()
}
