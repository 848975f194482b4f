//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
)

// How much the bot sends in all, over all ways to begin and all faults.
const (
	plainSends  = 1000
	plainRounds = 4
)

// TestNoPlaintext has bots send by every way to begin, over a bad connection as well, and asks the server for what it
// was sent: nothing that belongs into an encrypted room may be readable there.
func TestNoPlaintext(t *testing.T) {
	runEverywhere(t, []scenario{{name: "nothing is readable", run: noPlaintext}})
}

// plainTest is the encrypted rooms of the test, and what was sent there.
type plainTest struct {
	t     *testing.T
	hs    Homeserver
	rough *rough
	alice *user
	each  int // Messages for each way to begin
	rooms []id.RoomID
	sent  int
}

func noPlaintext(t *testing.T, hs Homeserver) {
	ways := []func(*plainTest, *secretBot) *secretBot{
		(*plainTest).madeByTheBot, (*plainTest).joinedJustBefore, (*plainTest).encryptedJustBefore,
		(*plainTest).afterARestart, (*plainTest).atTheStart, (*plainTest).withALostStore,
	}
	p := &plainTest{t: t, hs: hs, rough: newRough(t, hs.URL()), alice: newUser(t, hs, "alice")}
	p.each = plainSends/len(ways)/plainRounds + 1
	bot := readySecretBot(t, hs, hs.Register(t, "bot"))
	bot.url = p.rough.URL
	bot.start()
	for round := range plainRounds {
		p.rough.on.Store(round%2 == 1)
		for _, way := range ways {
			bot = way(p, bot)
		}
	}
	p.rough.on.Store(false)
	if p.sent < plainSends || p.rough.faults.Load() == 0 {
		t.Errorf("%d messages were sent over %d faults, want %d", p.sent, p.rough.faults.Load(), plainSends)
	}
	encrypted := 0
	for _, room := range p.rooms {
		encrypted += p.inspect(room)
	}
	if encrypted < p.sent {
		t.Errorf("%d messages were sent, and the server has %d", p.sent, encrypted)
	}
	t.Logf("%d messages in %d rooms over %d faults", p.sent, len(p.rooms), p.rough.faults.Load())
}

// sends has the bot send messages of all kinds, the first at once.
func (p *plainTest) sends(bot *niobot.Bot, room id.RoomID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), scenarioLimit)
	defer cancel()
	for n := 0; n < p.each; n++ {
		var content niobot.Content = niobot.Plain(fmt.Sprintf("secret %d", n))
		switch n % 8 {
		case 5:
			content = niobot.Location{Latitude: 52.5, Longitude: 13.4, Text: "secret"}
		case 6:
			content = niobot.Poll{Question: "secret?", Answers: []string{"yes", "no"}}
		}
		sent, err := bot.Send(ctx, room, content)
		if err == nil && n%8 == 3 {
			n++
			err = sent.Edit(ctx, niobot.Plain("secret edit"))
		}
		if err != nil {
			p.t.Errorf("send %d: %v", n, err)
			return
		}
	}
	p.sent += p.each
}

// inspect wants all that the bot sent into the room to be encrypted, and counts it.
func (p *plainTest) inspect(room id.RoomID) (encrypted int) {
	p.t.Helper()
	if _, err := p.alice.JoinRoomByID(p.t.Context(), room); err != nil {
		p.t.Fatalf("join %s: %v", room, err)
	}
	for from := ""; ; {
		page, err := p.alice.Messages(p.t.Context(), room, from, "", mautrix.DirectionBackward, nil, 100)
		check(p.t, "read the room", err)
		for _, e := range page.Chunk {
			switch {
			case e.StateKey != nil:
			case e.Type.Type == event.EventEncrypted.Type:
				encrypted++
			default:
				raw, _ := e.Content.MarshalJSON() // For the report only.
				p.t.Errorf("the server reads %s: %s", e.Type.Type, raw)
			}
		}
		if from = page.End; from == "" || len(page.Chunk) == 0 {
			return encrypted
		}
	}
}

// made makes a room of alice's, encrypted or not.
func (p *plainTest) made(encrypted bool) id.RoomID {
	p.t.Helper()
	req := &mautrix.ReqCreateRoom{Preset: "public_chat"}
	if encrypted {
		req.InitialState = []*event.Event{{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		}}
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), scenarioLimit)
	defer cancel()
	created, err := p.alice.CreateRoom(ctx, req)
	check(p.t, "create a room", err)
	p.rooms = append(p.rooms, created.RoomID)
	return created.RoomID
}

func (p *plainTest) madeByTheBot(bot *secretBot) *secretBot {
	p.t.Helper()
	room, err := bot.CreateRoom(p.t.Context(), niobot.NewRoom{Public: true, Encrypted: true})
	check(p.t, "create a room", err)
	p.rooms = append(p.rooms, room)
	p.sends(bot.Bot, room)
	return bot
}

func (p *plainTest) joinedJustBefore(bot *secretBot) *secretBot {
	p.t.Helper()
	room := p.made(true)
	_, err := bot.Join(p.t.Context(), room.String())
	check(p.t, "join", err)
	p.sends(bot.Bot, room)
	return bot
}

func (p *plainTest) encryptedJustBefore(bot *secretBot) *secretBot {
	p.t.Helper()
	room, err := bot.CreateRoom(p.t.Context(), niobot.NewRoom{Public: true})
	check(p.t, "create a room", err)
	p.rooms = append(p.rooms, room)
	_, err = bot.SetState(p.t.Context(), room, event.StateEncryption, "",
		&event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
	check(p.t, "encrypt the room", err)
	p.sends(bot.Bot, room)
	return bot
}

func (p *plainTest) afterARestart(bot *secretBot) *secretBot {
	p.t.Helper()
	bot.stop()
	bot.start()
	p.sends(bot.Bot, p.rooms[len(p.rooms)-1])
	return bot
}

// atTheStart sends before the first sync.
func (p *plainTest) atTheStart(bot *secretBot) *secretBot {
	p.t.Helper()
	bot.stop()
	done := make(chan struct{})
	bot.prepare = func(b *niobot.Bot) {
		b.OnStart(func(context.Context) {
			b.Go(func(context.Context) error {
				defer close(done)
				p.sends(b, p.rooms[len(p.rooms)-1])
				return nil
			})
		})
	}
	bot.start()
	bot.prepare = func(*niobot.Bot) {}
	<-done
	return bot
}

// withALostStore is a new device of the account, which knows of no room when it sends.
func (p *plainTest) withALostStore(bot *secretBot) *secretBot {
	p.t.Helper()
	key := bot.recoveryKey
	bot.stop()
	next := readySecretBot(p.t, p.hs, secondDevice(p.t, p.hs, bot.account), e2ee.RecoveryKey(key))
	next.url, next.recoveryKey = bot.url, key
	return p.atTheStart(next)
}
