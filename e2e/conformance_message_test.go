//go:build e2e

package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func sendAndReceive(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	const body, html = "hi *there* \U0001f44b\u202e\x00", "hi <em>there</em>"
	sent := alice.send(room, &event.MessageEventContent{
		MsgType: event.MsgText, Body: body, Format: event.FormatHTML, FormattedBody: html,
	})
	got := bob.awaitEvent(room, sent)
	content := got.Content.AsMessage()
	if got.Sender != alice.UserID || content.Body != body || content.FormattedBody != html {
		t.Errorf("got %q / %q by %s", content.Body, content.FormattedBody, got.Sender)
	}
	if age := time.Since(time.UnixMilli(got.Timestamp)).Abs(); age > scenarioLimit {
		t.Errorf("origin_server_ts is %v away", age)
	}
}

func longPollWakes(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	for bob.poll(0).Rooms.Join[room] != nil { // drain what is on its way
	}
	type answer struct {
		resp *mautrix.RespSync
		err  error
	}
	answers := make(chan answer, 1)
	begun := time.Now()
	go func() {
		resp, err := bob.SyncRequest(bob.ctx, 60_000, bob.since, "", false, "")
		answers <- answer{resp, err}
	}()
	sent := alice.say(room, "wake up")
	got := <-answers
	check(t, "long poll", got.err)
	if findEvent(timeline(got.resp, room), sent) == nil {
		t.Error("the long poll ended without the message")
	}
	if took := time.Since(begun); took > 40*time.Second {
		t.Errorf("the long poll took %v to wake", took)
	}
}

func transactionID(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room, other := alice.createRoom(bob), alice.createRoom()
	text := &event.MessageEventContent{MsgType: event.MsgText, Body: "once"}
	send := func(to id.RoomID) id.EventID {
		extra := mautrix.ReqSendEvent{TransactionID: "niobot.1"}
		resp, err := alice.SendMessageEvent(alice.ctx, to, event.EventMessage, text, extra)
		check(t, "send", err)
		return resp.EventID
	}
	first, second := send(room), send(room)
	if first != second {
		t.Errorf("the same transaction gave %s and %s", first, second)
	}
	if elsewhere := send(other); elsewhere == first {
		t.Error("the same transaction id in another room gave the same event")
	}
	own := alice.awaitEvent(room, first)
	if own.Unsigned.TransactionID != "niobot.1" {
		t.Errorf("own echo has transaction id %q, want niobot.1", own.Unsigned.TransactionID)
	}

	last := alice.say(room, "last")
	var seen []id.EventID
	bob.await("the last message", func(resp *mautrix.RespSync) bool {
		seen = append(seen, messageIDs(timeline(resp, room))...)
		if e := findEvent(timeline(resp, room), first); e != nil && e.Unsigned.TransactionID != "" {
			t.Errorf("another's event shows the transaction id %q", e.Unsigned.TransactionID)
		}
		return findEvent(timeline(resp, room), last) != nil
	})
	wantIDs(t, seen, first, last)
}

func reply(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	question := alice.say(room, "what time is it?")
	answer := bob.send(room, &event.MessageEventContent{
		MsgType: event.MsgText, Body: "late",
		RelatesTo: (&event.RelatesTo{}).SetReplyTo(question),
		Mentions:  &event.Mentions{UserIDs: []id.UserID{alice.UserID}},
	})
	content := alice.awaitEvent(room, answer).Content.AsMessage()
	if got := content.RelatesTo.GetReplyTo(); got != question {
		t.Errorf("reply is to %q, want %s", got, question)
	}
	if !content.Mentions.Has(alice.UserID) {
		t.Errorf("mentions = %+v, want alice", content.Mentions)
	}
}

func thread(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	root := alice.say(room, "root")
	in := bob.send(room, &event.MessageEventContent{
		MsgType: event.MsgText, Body: "in the thread", RelatesTo: (&event.RelatesTo{}).SetThread(root, root),
	})
	rel := alice.awaitEvent(room, in).Content.AsMessage().RelatesTo
	if rel.GetThreadParent() != root || rel.GetNonFallbackReplyTo() != "" {
		t.Errorf("relation = %+v, want thread %s with no reply but the fallback", rel, root)
	}
	checkRelated(t, alice, room, root, event.RelThread, in)
}

func edit(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	original := alice.say(room, "teh message")
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: "the message"}
	content.SetEdit(original)
	edited := alice.send(room, content)
	got := bob.awaitEvent(room, edited).Content.AsMessage()
	if got.RelatesTo.GetReplaceID() != original || got.NewContent == nil || got.NewContent.Body != "the message" {
		t.Errorf("edit = %+v, want one of %s", got, original)
	}
	checkRelated(t, bob, room, original, event.RelReplace, edited)
}

func reaction(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	target := alice.say(room, "like this")
	sent, err := bob.SendReaction(bob.ctx, room, target, "\U0001f44d\ufe0f")
	check(t, "react", err)
	rel := alice.awaitEvent(room, sent.EventID).Content.AsReaction().RelatesTo
	if rel.Type != event.RelAnnotation || rel.EventID != target || rel.Key != "\U0001f44d\ufe0f" {
		t.Errorf("reaction = %+v, want a thumb on %s", rel, target)
	}
	checkRelated(t, alice, room, target, event.RelAnnotation, sent.EventID)
	_, err = bob.SendReaction(bob.ctx, room, target, "\u2764\ufe0f")
	check(t, "react with another key", err)
}

func redaction(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	secret := alice.say(room, "a secret")
	bob.awaitEvent(room, secret)
	redacted, err := alice.RedactEvent(alice.ctx, room, secret, mautrix.ReqRedact{Reason: "oops", TxnID: "redact.1"})
	check(t, "redact", err)
	again, err := alice.RedactEvent(alice.ctx, room, secret, mautrix.ReqRedact{Reason: "oops", TxnID: "redact.1"})
	check(t, "redact again", err)
	if again.EventID != redacted.EventID {
		t.Errorf("the same transaction gave %s and %s", redacted.EventID, again.EventID)
	}

	got := bob.awaitEvent(room, redacted.EventID)
	target := got.Redacts
	if target == "" { // room version 11 moved it into the content
		target = got.Content.AsRedaction().Redacts
	}
	if target != secret || got.Content.AsRedaction().Reason != "oops" {
		t.Errorf("redaction = %+v of %q, want one of %s", got.Content.Raw, target, secret)
	}
	gone, err := bob.GetEvent(bob.ctx, room, secret)
	check(t, "get the redacted event", err)
	if len(gone.Content.Raw) != 0 || gone.Unsigned.RedactedBecause == nil {
		t.Errorf("redacted event still has %v, redacted because of %v", gone.Content.Raw, gone.Unsigned.RedactedBecause)
	}
}

func redactedReaction(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	target := alice.say(room, "like this")
	sent, err := bob.SendReaction(bob.ctx, room, target, "x")
	check(t, "react", err)
	redacted, err := bob.RedactEvent(bob.ctx, room, sent.EventID)
	check(t, "take the reaction back", err)
	alice.awaitEvent(room, redacted.EventID)
	resp, err := alice.GetRelations(alice.ctx, room, target, &mautrix.ReqGetRelations{RelationType: event.RelAnnotation})
	check(t, "relations", err)
	wantIDs(t, eventIDs(resp.Chunk))
}

func eventTooLarge(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	room := alice.createRoom()
	_, err := alice.SendText(alice.ctx, room, strings.Repeat("x", 65_536))
	// The status says it. The code is M_TOO_LARGE in the spec and on Synapse, M_BAD_JSON on Dendrite.
	if httpErr, ok := errors.AsType[mautrix.HTTPError](err); !ok || !httpErr.IsStatus(http.StatusRequestEntityTooLarge) {
		t.Errorf("send more than 65,536 bytes: got %v, want status %d", err, http.StatusRequestEntityTooLarge)
	}
	alice.say(room, strings.Repeat("x", 60_000))
}

func typing(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	typists := func(resp *mautrix.RespSync) ([]id.UserID, bool) {
		joined := resp.Rooms.Join[room]
		if joined == nil {
			return nil, false
		}
		e := findType(joined.Ephemeral.Events, event.EphemeralEventTyping)
		if e == nil {
			return nil, false
		}
		e.Type.Class = event.EphemeralEventType
		return parse(t, e).Content.AsTyping().UserIDs, true
	}
	_, err := alice.UserTyping(alice.ctx, room, true, 30*time.Second)
	check(t, "type", err)
	bob.await("alice to type", func(resp *mautrix.RespSync) bool {
		got, ok := typists(resp)
		return ok && len(got) == 1 && got[0] == alice.UserID
	})
	_, err = alice.UserTyping(alice.ctx, room, false, 0)
	check(t, "stop typing", err)
	bob.await("alice to stop", func(resp *mautrix.RespSync) bool {
		got, ok := typists(resp)
		return ok && len(got) == 0
	})
}

func receipts(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	first, second := alice.say(room, "read in private"), alice.say(room, "read in public")
	check(t, "read in private", bob.SendReceipt(bob.ctx, room, first, event.ReceiptTypeReadPrivate, nil))
	check(t, "read", bob.MarkRead(bob.ctx, room, second))
	alice.await("the receipt", func(resp *mautrix.RespSync) bool {
		joined := resp.Rooms.Join[room]
		if joined == nil {
			return false
		}
		e := findType(joined.Ephemeral.Events, event.EphemeralEventReceipt)
		if e == nil {
			return false
		}
		e.Type.Class = event.EphemeralEventType
		got := *parse(t, e).Content.AsReceipt()
		if len(got[first][event.ReceiptTypeReadPrivate]) != 0 {
			t.Errorf("a private receipt is shown to another: %+v", got)
		}
		_, read := got[second][event.ReceiptTypeRead][bob.UserID]
		return read
	})
}

// checkRelated wants exactly these events in the relations of an event.
func checkRelated(t *testing.T, u *user, room id.RoomID, to id.EventID, kind event.RelationType, want ...id.EventID) {
	t.Helper()
	resp, err := u.GetRelations(u.ctx, room, to, &mautrix.ReqGetRelations{RelationType: kind})
	check(t, "relations", err)
	wantIDs(t, eventIDs(resp.Chunk), want...)
}

// wantIDs wants these ids in this order.
func wantIDs(t *testing.T, got []id.EventID, want ...id.EventID) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d events %v, want %d %v", len(got), got, len(want), want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("event %d is %s, want %s; all: %v", i, got[i], want[i], got)
		}
	}
}
