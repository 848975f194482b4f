package main

import (
	"os"
	"path/filepath"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func start(t *testing.T, file string) *niobottest.Server {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	return niobottest.Start(t, niobot.Must(newBot(t.Context(), file)))
}

func answerTo(question string) string {
	for _, q := range questions {
		if question == q.question+" The first right answer wins 3 points." {
			return q.answer
		}
	}
	return ""
}

func TestModulesShareThePoints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "points.json")
	hs := start(t, file)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!points")
	alice.ExpectReply("Nobody has any.")

	alice.Say(room, "!quiz")
	answer := answerTo(alice.ExpectReplyMatch("points").Body)
	bob.Say(room, "no idea")
	bob.Say(room, answer)
	bob.ExpectReply("Right! That makes 3.")

	kind := alice.Say(room, "well done!")
	alice.React(kind, heart) // One's own counts for nothing.
	bob.React(kind, "❤️")
	bob.React(kind, "👍")
	hs.Settle()
	alice.Say(room, "!points")
	alice.ExpectReply("Who              | Points\n-----------------+-------\n" +
		"@bob:localhost   |      3\n@alice:localhost |      1")

	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	again := newScores(file)
	if err := again.load(); err != nil {
		t.Fatal(err)
	}
	if best := again.best(1); len(best) != 1 || best[0] != (score{bob.ID(), 3}) {
		t.Errorf("what was saved: %v", best)
	}
}

func TestUnmountedModuleHearsNothing(t *testing.T) {
	hs := start(t, filepath.Join(t.TempDir(), "points.json"))
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	bot := hs.Bot()
	owner, ok := bot.Modules()[0].(*board)
	if !ok {
		t.Fatalf("the modules: %v", bot.Modules())
	}
	if err := bot.Unmount(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	kind := alice.Say(room, "well done!")
	bob.React(kind, heart)
	hs.Settle()
	if best := owner.scores.best(1); len(best) != 0 {
		t.Errorf("points: %v", best)
	}
	alice.Say(room, "!points")
	hs.ExpectNothing(room)
	if err := bot.Mount(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	alice.Say(room, "!points")
	alice.ExpectReply("Nobody has any.")
}

func TestBrokenFileKeepsTheModuleOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "points.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	if _, err := newBot(t.Context(), file); err == nil {
		t.Error("no error")
	}
}

func TestBest(t *testing.T) {
	s := newScores("")
	for user, points := range map[id.UserID]int{"@a:x": 1, "@b:x": 5, "@c:x": 5, "@d:x": 2} {
		s.add(user, points)
	}
	want := []score{{"@b:x", 5}, {"@c:x", 5}, {"@d:x", 2}}
	for i, got := range s.best(3) {
		if got != want[i] {
			t.Errorf("%d: got %v, want %v", i, got, want[i])
		}
	}
}
