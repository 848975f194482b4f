package cli

import (
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// spoken is a room in which the bot has said a text.
func spoken(t *testing.T, text string) (hs *fakehs.Server, room id.RoomID, bot id.UserID, said id.EventID) {
	t.Helper()
	hs = fakehs.New(fakehs.Options{})
	t.Cleanup(func() { hs.Close() })
	bot, err := hs.Register("bot", "")
	if err != nil {
		t.Fatal(err)
	}
	room, err = hs.NewRoom(bot, "private_chat")
	if err != nil {
		t.Fatal(err)
	}
	said, err = hs.SendText(bot, room, text)
	if err != nil {
		t.Fatal(err)
	}
	return hs, room, bot, said
}

func transcriptOf(hs *fakehs.Server, room id.RoomID, bot id.UserID) string {
	show := newTranscript(bot, plain)
	var lines []string
	for _, e := range hs.Timeline(room) {
		if text := show.event(e); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func TestReactionsAndWhatIsRemoved(t *testing.T) {
	hs, room, bot, said := spoken(t, "a\nb\n\nc\n")
	reaction, err := hs.Send(bot, room, event.EventReaction, &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: said, Key: "👍"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []id.EventID{reaction, "$nothing"} {
		content := map[string]any{"redacts": target}
		if _, err := hs.Send(bot, room, event.EventRedaction, content); err != nil {
			t.Fatal(err)
		}
	}
	want := "bot: a\n  b\n\n  c\nbot reacts with 👍 to \"a…\"\nbot removes \"👍\"\nbot removes something"
	if got := transcriptOf(hs, room, bot); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What a terminal would obey is not passed on to it.
func TestControlCharactersAreNotShown(t *testing.T) {
	const hostile = "a\x1b[2Jb\x07\r\u009b31m"
	hs, room, bot, said := spoken(t, hostile)
	for _, key := range []string{"\x1b[A", hostile} {
		if _, err := hs.Send(bot, room, event.EventReaction, &event.ReactionEventContent{
			RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: said, Key: key},
		}); err != nil {
			t.Fatal(err)
		}
	}
	edit := &event.MessageEventContent{MsgType: event.MsgText, Body: hostile}
	edit.SetEdit(said)
	if _, err := hs.Send(bot, room, event.EventMessage, edit); err != nil {
		t.Fatal(err)
	}
	got := transcriptOf(hs, room, bot)
	if strings.ContainsAny(got, "\x1b\x07\r\u009b") {
		t.Errorf("%q", got)
	}
	if lines := strings.Count(got, "\n") + 1; lines != 4 {
		t.Errorf("%d lines, want 4: %q", lines, got)
	}
}
