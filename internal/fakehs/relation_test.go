package fakehs_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func related(body string, rel event.RelationType, target id.EventID) map[string]any {
	content := map[string]any{
		"msgtype": "m.text", "body": body, "m.relates_to": map[string]any{"rel_type": rel, "event_id": target},
	}
	if rel == event.RelReplace {
		content["m.new_content"] = map[string]any{"msgtype": "m.text", "body": body}
	}
	return content
}

// bundle returns the m.relations of an event as the server sent it.
func bundle(
	t *testing.T, hs *fakehs.Server, c *mautrix.Client, room id.RoomID, eventID id.EventID,
) map[string]json.RawMessage {
	t.Helper()
	_, body := do(t, hs, c.AccessToken, "GET", fmt.Sprintf("/_matrix/client/v3/rooms/%s/event/%s", room, eventID), "")
	var evt struct {
		Unsigned struct {
			Relations map[string]json.RawMessage `json:"m.relations"`
		} `json:"unsigned"`
	}
	if err := json.Unmarshal([]byte(body), &evt); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return evt.Unsigned.Relations
}

func TestEditsAreBundled(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	original := must(hs.SendText(alice.UserID, room, "helo"))(t)
	must(hs.Send(alice.UserID, room, event.EventMessage, related("hello", event.RelReplace, original)))(t)
	must(hs.Send(bob.UserID, room, event.EventMessage, related("forged", event.RelReplace, original)))(t)
	last := must(hs.Send(alice.UserID, room, event.EventMessage, related("hello!", event.RelReplace, original)))(t)

	var edit struct {
		ID      id.EventID     `json:"event_id"`
		Content map[string]any `json:"content"`
	}
	if err := json.Unmarshal(bundle(t, hs, bob, room, original)["m.replace"], &edit); err != nil {
		t.Fatal(err)
	}
	if edit.ID != last || edit.Content["body"] != "hello!" {
		t.Errorf("bundled is %+v, want the last edit by the sender", edit)
	}
	must(hs.Redact(alice.UserID, room, last, ""))(t)
	if err := json.Unmarshal(bundle(t, hs, bob, room, original)["m.replace"], &edit); err != nil {
		t.Fatal(err)
	}
	if edit.Content["body"] != "hello" {
		t.Errorf("after redacting the last edit %v is bundled", edit.Content["body"])
	}
}

func TestThreadsAreBundledAndListed(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	older := must(hs.SendText(alice.UserID, room, "older root"))(t)
	newer := must(hs.SendText(alice.UserID, room, "newer root"))(t)
	must(hs.Send(bob.UserID, room, event.EventMessage, related("first", event.RelThread, newer)))(t)
	must(hs.Send(alice.UserID, room, event.EventMessage, related("x", event.RelThread, older)))(t)
	last := must(hs.Send(alice.UserID, room, event.EventMessage, related("second", event.RelThread, older)))(t)

	var thread struct {
		Latest struct {
			ID id.EventID `json:"event_id"`
		} `json:"latest_event"`
		Count int  `json:"count"`
		Own   bool `json:"current_user_participated"`
	}
	if err := json.Unmarshal(bundle(t, hs, bob, room, older)["m.thread"], &thread); err != nil {
		t.Fatal(err)
	}
	if thread.Latest.ID != last || thread.Count != 2 || thread.Own {
		t.Errorf("got %+v", thread)
	}
	list := func(query string) (roots []id.EventID, next string) {
		_, body := do(t, hs, bob.AccessToken, "GET", fmt.Sprintf("/_matrix/client/v1/rooms/%s/threads?%s", room, query), "")
		var reply struct {
			Chunk []struct {
				ID id.EventID `json:"event_id"`
			} `json:"chunk"`
			Next string `json:"next_batch"`
		}
		if err := json.Unmarshal([]byte(body), &reply); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, root := range reply.Chunk {
			roots = append(roots, root.ID)
		}
		return roots, reply.Next
	}
	if got, _ := list(""); !slices.Equal(got, []id.EventID{older, newer}) {
		t.Errorf("got %v", got)
	}
	if got, _ := list("include=participated"); !slices.Equal(got, []id.EventID{newer}) {
		t.Errorf("bob took part in %v", got)
	}
	first, next := list("limit=1")
	second, _ := list("limit=1&from=" + next)
	if got := slices.Concat(first, second); !slices.Equal(got, []id.EventID{older, newer}) {
		t.Errorf("page by page: %v", got)
	}
}

func TestRelations(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	root := must(hs.SendText(alice.UserID, room, "root"))(t)
	reply := must(hs.Send(bob.UserID, room, event.EventMessage, related("reply", event.RelThread, root)))(t)
	like := must(bob.SendReaction(ctx, room, root, "👍"))(t).EventID
	nested := must(bob.SendReaction(ctx, room, reply, "👍"))(t).EventID
	_, err := bob.SendReaction(ctx, room, root, "👍")
	wantCode(t, err, 400, "M_DUPLICATE_ANNOTATION")

	ids := func(req mautrix.ReqGetRelations) []id.EventID {
		var list []id.EventID
		for {
			resp := must(alice.GetRelations(ctx, room, root, &req))(t)
			for _, evt := range resp.Chunk {
				list = append(list, evt.ID)
			}
			if resp.NextBatch == "" {
				return list
			}
			req.From = resp.NextBatch
		}
	}
	tests := []struct {
		name string
		req  mautrix.ReqGetRelations
		want []id.EventID
	}{
		{"all", mautrix.ReqGetRelations{}, []id.EventID{like, reply}},
		{"forwards", mautrix.ReqGetRelations{Dir: mautrix.DirectionForward}, []id.EventID{reply, like}},
		{"by type", mautrix.ReqGetRelations{RelationType: event.RelThread}, []id.EventID{reply}},
		{"by both", mautrix.ReqGetRelations{RelationType: event.RelAnnotation, EventType: event.EventReaction},
			[]id.EventID{like}},
		{"neither", mautrix.ReqGetRelations{RelationType: event.RelAnnotation, EventType: event.EventMessage}, nil},
		{"recursive", mautrix.ReqGetRelations{Recurse: true}, []id.EventID{nested, like, reply}},
		{"paged", mautrix.ReqGetRelations{Recurse: true, Limit: 1}, []id.EventID{nested, like, reply}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := ids(tc.req); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	must(bob.RedactEvent(ctx, room, like))(t)
	if got := ids(mautrix.ReqGetRelations{}); !slices.Equal(got, []id.EventID{reply}) {
		t.Errorf("after redacting the reaction: %v", got)
	}
}

func TestContextSurroundsAnEvent(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	var sent []id.EventID
	for i := range 9 {
		sent = append(sent, must(hs.SendText(alice.UserID, room, fmt.Sprint(i)))(t))
	}
	resp := must(bob.Context(deadline(t), room, sent[4], nil, 4))(t)
	if got := bodies(resp.EventsBefore); !slices.Equal(got, []string{"3", "2"}) {
		t.Errorf("before: %q", got)
	}
	if got := bodies(resp.EventsAfter); !slices.Equal(got, []string{"5", "6"}) {
		t.Errorf("after: %q", got)
	}
	if resp.Event.ID != sent[4] || len(resp.State) == 0 {
		t.Errorf("event %s with %d state events", resp.Event.ID, len(resp.State))
	}
	on := must(bob.Messages(deadline(t), room, resp.End, "", mautrix.DirectionForward, nil, 100))(t)
	if got := bodies(on.Chunk); !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("on from the end: %q", got)
	}
	back := must(bob.Messages(deadline(t), room, resp.Start, "", mautrix.DirectionBackward, nil, 2))(t)
	if got := bodies(back.Chunk); !slices.Equal(got, []string{"1", "0"}) {
		t.Errorf("back from the start: %q", got)
	}
}
