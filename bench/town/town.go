// Package town is a fake homeserver with a bot's account, and users who speak with the bot and take down what it answers.
package town

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/victim"
	"github.com/niobot/niobot/internal/fakehs"
)

// Town is a homeserver and who is on it. Its methods may be called from any goroutine, except Say.
type Town struct {
	Homeserver *fakehs.Server
	URL        string
	Bot        niobot.Account
	Token      string // The bot's
	Rooms      []id.RoomID
	Users      []id.UserID
	Ledger     *ledger.Ledger

	rng       *rand.Rand // Of who speaks
	listening sync.WaitGroup
	deafen    context.CancelFunc
}

// New makes a town of so many rooms, with the bot and all users in each.
func New(rooms, users int, seed uint64, o fakehs.Options) (*Town, error) {
	t := &Town{Homeserver: fakehs.New(o), rng: rand.New(rand.NewPCG(seed, 1)), deafen: func() {}}
	if err := t.build(rooms, users); err != nil {
		return nil, errors.Join(fmt.Errorf("set the homeserver up: %w", err), t.Homeserver.Close())
	}
	return t, nil
}

func (t *Town) build(rooms, users int) (err error) {
	hs := t.Homeserver
	if t.URL, err = hs.Listen(); err != nil {
		return err
	}
	bot, err := hs.Register("bot", "")
	if err != nil {
		return err
	}
	session, err := hs.LogIn(bot, "")
	if err != nil {
		return err
	}
	t.Token, t.Bot = session.Token, niobot.Account{UserID: bot, DeviceID: session.DeviceID}
	for n := range users {
		user, err := hs.Register(fmt.Sprintf("user%d", n), "")
		if err != nil {
			return err
		}
		t.Users = append(t.Users, user)
	}
	for range rooms {
		room, err := hs.NewRoom(t.Users[0], "private_chat", append(t.Users[1:], bot)...)
		if err != nil {
			return err
		}
		t.Rooms = append(t.Rooms, room)
	}
	return nil
}

// Listen begins to take down what the bot says.
func (t *Town) Listen() {
	t.Ledger = ledger.New(t.Bot.UserID)
	ctx, cancel := context.WithCancel(context.Background())
	t.deafen = cancel
	for _, room := range t.Rooms {
		t.listening.Go(func() {
			// It never agrees to an event, so what it returns is that it was ended.
			_, _ = t.Homeserver.WaitFor(ctx, room, func(e *event.Event) bool {
				t.Ledger.See(room, e)
				return false
			})
		})
	}
}

// Say has one of the users say a command in a room, and enters what it is to be answered with.
func (t *Town) Say(room id.RoomID, text string, want []ledger.Answer) error {
	command, err := t.Homeserver.SendText(t.Users[t.rng.IntN(len(t.Users))], room, text)
	if err != nil {
		return err
	}
	t.Ledger.Ask(room, command, text, want)
	return nil
}

// Resident is a bot of the town, run by the program with its store at the place.
func (t *Town) Resident(program string, store victim.Place) victim.Bot {
	return victim.Bot{Program: program, Homeserver: t.URL, Token: t.Token, Store: store}
}

// Close ends the homeserver.
func (t *Town) Close() error {
	t.deafen()
	t.listening.Wait()
	return t.Homeserver.Close()
}
