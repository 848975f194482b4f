package niobot

import (
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func TestPowerLevelsAreReadAsServersReadThem(t *testing.T) {
	const a = id.UserID("@a:x")
	old, v12 := creation{version: "11", creators: []id.UserID{a}}, creation{version: "12", creators: []id.UserID{a}}
	for _, test := range []struct {
		name          string
		content       string
		present       bool
		created       creation
		user, other   int
		state, invite int
	}{
		{"room without levels", ``, false, old, 100, 0, 0, 0},
		{"room without levels, version 12", ``, false, v12, CreatorPower, 0, 0, 0},
		{"empty", `{}`, true, old, 0, 0, 50, 0},
		{"creators stand above", `{"users":{"@a:x":7}}`, true, v12, CreatorPower, 0, 50, 0},
		{"users_default", `{"users_default":10,"users":{"@a:x":5}}`, true, old, 5, 10, 50, 0},
		{"texts of numbers", `{"users":{"@a:x":" 75 "},"invite":"50"}`, true, old, 75, 0, 50, 50},
		{"fractions", `{"users":{"@a:x":49.9},"state_default":2e1}`, true, old, 49, 0, 20, 0},
		{"texts that are none", `{"users":{"@a:x":"Infinity"},"users_default":"NaN","invite":"0x32"}`, true, old, 0, 0, 50, 0},
		{"wrong types", `{"users":{"@a:x":null,"@b:x":[]},"state_default":true,"invite":null}`, true, old, 0, 0, 50, 0},
		{"users a list", `{"users":[100],"users_default":3}`, true, old, 3, 3, 50, 0},
		{"beyond what JSON holds", `{"users":{"@a:x":1e300},"users_default":-1e300}`, true, old, 1<<53 - 1, -(1<<53 - 1), 50, 0},
		{"no JSON", `{`, true, old, 0, 0, 50, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := parsePowerLevels(test.content, test.present, test.created)
			got := []int{p.User(a), p.User("@other:x"), p.Event(event.StateTopic), p.Invite}
			for i, want := range []int{test.user, test.other, test.state, test.invite} {
				if got[i] != want {
					t.Errorf("the %s is %d, want %d", []string{"user", "other user", "state level", "invite level"}[i], got[i], want)
				}
			}
		})
	}
}

func TestCreatorsAreThoseOfTheRoomsVersion(t *testing.T) {
	for content, want := range map[string]int{
		`{"room_version":"11","creator":"@c:x","additional_creators":["@d:x"]}`: 1,
		`{"room_version":"12","additional_creators":["@d:x",7,"@e:x"]}`:         3,
		`{"room_version":7}`: 1,
		`null`:               1,
	} {
		if got := parseCreation(content, "@a:x"); len(got.creators) != want || got.creators[0] != "@a:x" {
			t.Errorf("%s gives the creators %v", content, got.creators)
		}
	}
}

func TestSeenForgetsTheOldestAndWhatItIsTold(t *testing.T) {
	s := newSeen()
	for key := range uint64(3 * seenGeneration) {
		if !s.add(key) {
			t.Fatalf("%d is not new", key)
		}
	}
	if last := uint64(3*seenGeneration - 1); s.add(last) || s.add(last-seenGeneration+1) {
		t.Error("one of the latest is new again")
	}
	if !s.add(0) {
		t.Error("the oldest is remembered")
	}
	s.forget([]uint64{0, 3*seenGeneration - 1})
	if !s.add(0) || !s.add(3*seenGeneration-1) {
		t.Error("what was forgotten is remembered")
	}
	if len(s.now)+len(s.old) > 2*seenGeneration {
		t.Errorf("%d are remembered", len(s.now)+len(s.old))
	}
}
