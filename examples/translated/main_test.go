package main

import (
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func start(t *testing.T) *niobottest.Server {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	return niobottest.Start(t, niobot.Must(newBot()))
}

func TestEachIsSpokenToInTheirLanguage(t *testing.T) {
	hs := start(t)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	bob.Say(room, "!language german")
	bob.ExpectReply("Ich spreche von jetzt an Deutsch mit dir.")
	bob.Say(room, "!grüße *Alice*")
	bob.ExpectReply("Hallo, *Alice*!")
	bob.Say(room, "!gret")
	bob.ExpectReply("!gret gibt es nicht. Meinst du !greet?")
	bob.Say(room, "!help")
	bob.ExpectReplyMatch("^Befehle")

	alice.Say(room, "!greet")
	alice.ExpectReply("Hello, world!")
	alice.Say(room, "!gret")
	alice.ExpectReply("There is no !gret. Did you mean !greet?")

	bob.Say(room, "!sprache english")
	bob.ExpectReply("I speak English to you from now on.")
}

func TestChoiceOutlivesTheBot(t *testing.T) {
	hs := start(t)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!language german")
	alice.ExpectReplyMatch("Deutsch")

	var again languages
	if err := again.load(t.Context(), hs.Bot()); err != nil {
		t.Fatal(err)
	}
	if again.chosen[alice.ID()] != "german" {
		t.Errorf("what is loaded: %v", again.chosen)
	}
}

// A translation whose verbs are not those of the English text is passed over, so it had better not be there.
func TestTranslationsHaveTheSameVerbs(t *testing.T) {
	for text, translation := range german {
		for _, verb := range []string{"%s", "%d", "%"} {
			if strings.Count(string(text), verb) != strings.Count(translation, verb) {
				t.Errorf("%q has other verbs than %q", translation, text)
			}
		}
	}
}
