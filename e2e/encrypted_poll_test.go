//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// TestEncryptedPoll asks in an encrypted room, and counts encrypted votes.
func TestEncryptedPoll(t *testing.T) {
	runEverywhere(t, []scenario{{name: "a poll in an encrypted room", run: secretPoll}})
}

// votes gives an answer to a poll, encrypted.
func (b *secretBot) votes(room id.RoomID, poll id.EventID, answer string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), scenarioLimit)
	defer cancel()
	content, err := json.Marshal(map[string]any{
		"m.relates_to":                     map[string]any{"rel_type": "m.reference", "event_id": poll},
		"org.matrix.msc3381.poll.response": map[string]any{"answers": []string{answer}},
	})
	check(b.t, "make a vote", err)
	sealed, err := b.enc.Encrypt(ctx, room, event.EventUnstablePollResponse, content)
	check(b.t, "encrypt a vote", err)
	client, err := b.Client(ctx)
	check(b.t, "get the client", err)
	_, err = client.SendMessageEvent(ctx, room, event.EventEncrypted, sealed)
	check(b.t, "vote", err)
}

// ballot is what a bot is told of a poll.
type ballot struct {
	t    *testing.T
	told chan string
}

// asksFor sends a poll and watches it.
func (b *secretBot) asksFor(room id.RoomID, poll niobot.Poll) (id.EventID, *ballot) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), scenarioLimit)
	defer cancel()
	sent, err := b.Send(ctx, room, poll)
	check(b.t, "send a poll", err)
	heard := &ballot{b.t, make(chan string, 100)}
	stop, err := b.WatchPoll(ctx, room, sent.ID, func(_ context.Context, r niobot.PollResult) error {
		heard.told <- votesOf(r)
		return nil
	})
	check(b.t, "watch the poll", err)
	b.t.Cleanup(stop)
	return sent.ID, heard
}

func (b *ballot) hears(want string) {
	b.t.Helper()
	select {
	case got := <-b.told:
		if got != want {
			b.t.Errorf("told of %s, want %s", got, want)
		}
	case <-time.After(scenarioLimit):
		b.t.Fatalf("not told of %s in time", want)
	}
}

func votesOf(r niobot.PollResult) string {
	var parts []string
	for _, votes := range r.Votes {
		parts = append(parts, fmt.Sprintf("%s %d", votes.Answer, len(votes.Users)))
	}
	if r.Ended {
		parts = append(parts, "ended")
	}
	return strings.Join(parts, ", ")
}

func secretPoll(t *testing.T, hs Homeserver) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := secretRoom(alice, bot)
	bot.hears(alice.says(room, "hello"), "hello")
	poll, heard := bot.asksFor(room, niobot.Poll{Question: "Lunch?", Answers: []string{"pizza", "salad"}})
	heard.hears("pizza 0, salad 0")
	read, err := alice.Event(t.Context(), room, poll)
	check(t, "fetch the poll", err)
	if p, ok := read.Poll(); !ok || p.Question != "Lunch?" {
		t.Errorf("alice reads a %s: %+v", read.Type.Type, p)
	}
	alice.votes(room, poll, "1")
	heard.hears("pizza 1, salad 0")
	alice.votes(room, poll, "2")
	heard.hears("pizza 0, salad 1")
	result, err := alice.PollResult(t.Context(), room, poll)
	check(t, "count the votes", err)
	if got := votesOf(result); got != "pizza 0, salad 1" {
		t.Errorf("alice counts %s", got)
	}
	_, err = bot.EndPoll(t.Context(), room, poll)
	check(t, "end the poll", err)
	heard.hears("pizza 0, salad 1, ended")
}
