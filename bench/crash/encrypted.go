package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/town"
)

// unread is what niobot logs of a message that it gives up to read.
const unread = "message not read"

// keyLife is how many messages a key is for. It is few, since keys are what crashes and faults may lose.
const keyLife = 5

// circle is the users of encrypted rooms. Each is a bot in this process, since a user has to encrypt what they say, and
// to decrypt what is answered. Nobody kills them, and no faults are made for them.
type circle struct {
	town  *town.Town
	rng   *rand.Rand // Of who speaks
	users []*member
	post  *postman
	url   string // Of the homeserver, as the users are told it

	mu      sync.Mutex
	read    map[id.EventID]map[id.UserID]bool // Encrypted messages of the bot → who has read them
	changed chan struct{}                     // Closed, and made anew, by each message that is read
}

// gather encrypts all rooms of the town, and lets its users in. Their stores and their log are in the folder.
func gather(ctx context.Context, t *town.Town, seed uint64, folder string, logs io.Writer) (c *circle, err error) {
	for _, room := range t.Rooms {
		settings := event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1, RotationPeriodMessages: keyLife}
		if _, err := t.Homeserver.SendState(t.Users[0], room, event.StateEncryption, "", settings); err != nil {
			return nil, err
		}
	}
	t.Ledger = ledger.New(t.Bot.UserID)
	c = &circle{
		town: t, rng: rand.New(rand.NewPCG(seed, 1)),
		read: make(map[id.EventID]map[id.UserID]bool), changed: make(chan struct{}),
	}
	if c.post, c.url, err = newPostman(t.URL, seed); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(logs, nil))
	for n, user := range t.Users {
		m, err := c.letIn(user, filepath.Join(folder, fmt.Sprintf("user%d.db", n)), log)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("let %s in: %w", user, err), c.part())
		}
		c.users = append(c.users, m)
	}
	for _, m := range c.users {
		select {
		case <-m.bot.Ready():
		case <-m.ended:
			return nil, errors.Join(fmt.Errorf("%s did not stay", m.bot.UserID()), c.part())
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), c.part())
		}
	}
	return c, nil
}

// part ends the users.
func (c *circle) part() error {
	var errs []error
	for _, m := range c.users {
		errs = append(errs, m.close())
	}
	return errors.Join(append(errs, c.post.close())...)
}

// say has one of the users say a command in a room, and enters what it is to be answered with.
func (c *circle) say(ctx context.Context, room id.RoomID, text string, want []ledger.Answer) error {
	from := c.users[c.rng.IntN(len(c.users))]
	sent, err := from.bot.Send(ctx, room, niobot.Plain(text), niobot.AsType(event.MsgText))
	if err != nil {
		return err
	}
	c.town.Ledger.Ask(room, sent.ID, text, want)
	return nil
}

// secrecy is what came of encryption.
type secrecy struct {
	answers    int      // Encrypted messages of the bot
	unreadable int      // Of these, those that some user could not read
	plain      int      // Messages that anybody could read
	cases      []string // A line for each of the unreadable
}

func (s secrecy) sound() bool { return s.answers > 0 && s.unreadable == 0 && s.plain == 0 }

// judge compares what the bot has sent with what each user has read.
func (c *circle) judge() (s secrecy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, room := range c.town.Rooms {
		s.plain += len(c.town.Homeserver.Messages(room, ""))
		for _, e := range c.town.Homeserver.Timeline(room) {
			if e.Sender != c.town.Bot.UserID || e.Type.Type != event.EventEncrypted.Type {
				continue
			}
			s.answers++
			if readers := len(c.read[e.ID]); readers < len(c.users) {
				s.unreadable++
				s.cases = append(s.cases, fmt.Sprintf("unreadable: %s in %s for %d of %d users", e.ID, room,
					len(c.users)-readers, len(c.users)))
			}
		}
	}
	return s
}

// settle waits until all users have read all that the bot has sent, and returns early with ctx's error.
func (c *circle) settle(ctx context.Context) error {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		s := c.judge()
		if s.unreadable == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d answers can't be read by all: %w", s.unreadable, context.Cause(ctx))
		}
	}
}

// hear takes in what a user has read.
func (c *circle) hear(reader id.UserID, e *niobot.Event) error {
	if _, encrypted := e.Origin(); !encrypted || e.Sender != c.town.Bot.UserID {
		return nil
	}
	message, err := e.Matrix()
	if err != nil {
		return err
	}
	c.town.Ledger.See(e.RoomID, message)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read[e.ID] == nil {
		c.read[e.ID] = make(map[id.UserID]bool)
	}
	c.read[e.ID][reader] = true
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// births is how often the first start of a bot with encryption is killed, while it makes its identity.
const births = 5

// encrypt has all rooms encrypted, and the bot read and write there.
func (s *storm) encrypt(ctx context.Context, folder string, logs io.Writer) error {
	limited, cancel := context.WithTimeout(ctx, longestReady)
	defer cancel()
	c, err := gather(limited, s.town, s.options.seed, folder, logs)
	if err != nil {
		return err
	}
	s.circle = c
	s.bot.Recovery = filepath.Join(folder, "recovery.key")
	s.speaker.say = func(room id.RoomID, text string, want []ledger.Answer) error { return c.say(ctx, room, text, want) }
	return nil
}

// interruptBirth kills the bot while it makes its identity.
func (s *storm) interruptBirth(ctx context.Context) error {
	for range births {
		if err := s.pause(ctx, longestStart); err != nil {
			return err
		}
		if err := s.kill(ctx, atStart, s.rng.IntN(len(s.slots))); err != nil {
			return err
		}
	}
	return nil
}
