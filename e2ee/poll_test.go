//go:build goolm

package e2ee_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// vote gives an answer to a poll, encrypted.
func (b *bot) vote(room id.RoomID, poll id.EventID, answer string) id.EventID {
	b.t.Helper()
	content, err := json.Marshal(map[string]any{
		"m.relates_to":                     map[string]any{"rel_type": "m.reference", "event_id": poll},
		"org.matrix.msc3381.poll.response": map[string]any{"answers": []string{answer}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	sealed, err := b.enc.Encrypt(deadline(b.t), room, event.EventUnstablePollResponse, content)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(room, sealed)
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

// lateKeys takes a user's encrypted to-device messages in place of the server, and hands them on when told.
type lateKeys struct {
	hs    *fakehs.Server
	from  id.UserID
	mu    sync.Mutex
	held  [][]byte
	fault interface{ Remove() }
}

func holdKeys(hs *fakehs.Server, from id.UserID) *lateKeys {
	l := &lateKeys{hs: hs, from: from}
	l.fault = hs.Fail(fakehs.Fault{
		User: from, Path: "/sendToDevice/m.room.encrypted/", Response: []byte("{}"),
		Match: func(r *http.Request) bool {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			l.mu.Lock()
			defer l.mu.Unlock()
			l.held = append(l.held, body)
			return err == nil
		},
	})
	return l
}

func (l *lateKeys) release(t *testing.T) {
	t.Helper()
	l.fault.Remove()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) == 0 {
		t.Fatal("no key was held back")
	}
	for _, body := range l.held {
		var request struct {
			Messages map[id.UserID]map[id.DeviceID]json.RawMessage `json:"messages"`
		}
		if err := json.Unmarshal(body, &request); err != nil {
			t.Fatal(err)
		}
		for user, devices := range request.Messages {
			for device, content := range devices {
				if err := l.hs.SendToDevice(l.from, user, device, event.ToDeviceEncrypted, content); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestPollInAnEncryptedRoom goes from the question over votes, one of whose keys is late, to the end.
func TestPollInAnEncryptedRoom(t *testing.T) {
	hs := newServer(t)
	bot, _ := commanded(t, hs)
	alice, carol := newBot(t, hs, "alice"), newBot(t, hs, "carol")
	room := plainRoom(t, hs, alice, bot)
	carol.join(room)
	alice.encryptFor(room, bot)
	alice.sync()
	carol.sync()

	poll, err := bot.Send(deadline(t), room, niobot.Poll{Question: "Lunch?", Answers: []string{"pizza", "salad"}})
	if err != nil {
		t.Fatal(err)
	}
	alice.sync()
	alice.mu.Lock()
	asked := alice.read[poll.ID]
	alice.mu.Unlock()
	if asked.Type != event.EventUnstablePollStart || !strings.Contains(string(asked.Content), `"Lunch?"`) {
		t.Errorf("alice reads %s %s", asked.Type.Type, asked.Content)
	}

	told := make(chan string, 20)
	stop, err := bot.WatchPoll(deadline(t), room, poll.ID, func(_ context.Context, r niobot.PollResult) error {
		told <- votesOf(r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	hears := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told of %s, want %s", got, want)
			}
		case <-deadline(t).Done():
			t.Fatalf("not told of %s", want)
		}
	}
	hears("pizza 0, salad 0")
	alice.vote(room, poll.ID, "2")
	hears("pizza 0, salad 1")

	keys := holdKeys(hs, carol.client.UserID)
	carol.vote(room, poll.ID, "1")
	result, err := bot.PollResult(deadline(t), room, poll.ID)
	if err != nil || votesOf(result) != "pizza 0, salad 1" {
		t.Errorf("with a vote that can't be read yet: %s, %v", votesOf(result), err)
	}
	keys.release(t)
	hears("pizza 1, salad 1")
	alice.vote(room, poll.ID, "1")
	hears("pizza 2, salad 0")
	if result, err = bot.EndPoll(deadline(t), room, poll.ID); err != nil || votesOf(result) != "pizza 2, salad 0, ended" {
		t.Errorf("the end: %s, %v", votesOf(result), err)
	}
	hears("pizza 2, salad 0, ended")
	carol.vote(room, poll.ID, "2")
	if result, err = bot.PollResult(deadline(t), room, poll.ID); err != nil || votesOf(result) != "pizza 2, salad 0, ended" {
		t.Errorf("after the end: %s, %v", votesOf(result), err)
	}

	relations := 0
	for _, e := range hs.Timeline(room) {
		if strings.Contains(e.Type.Type, "poll") {
			t.Errorf("%s is not encrypted", e.Type.Type)
		}
		var content struct {
			RelatesTo event.RelatesTo `json:"m.relates_to"`
		}
		if e.Type == event.EventEncrypted && json.Unmarshal(e.Content.VeryRaw, &content) == nil &&
			content.RelatesTo.Type == event.RelReference && content.RelatesTo.EventID == poll.ID {
			relations++
		}
	}
	if relations != 5 {
		t.Errorf("%d events relate to the poll in the clear, where servers look; want 4 votes and the end", relations)
	}
}
