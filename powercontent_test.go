package niobot

import (
	"encoding/json"
	"testing"

	"maunium.net/go/mautrix/id"
)

func TestPowerEditWritesOnlyWhatChanges(t *testing.T) {
	const bob, carol id.UserID = "@bob:localhost", "@carol:localhost"
	tests := []struct {
		name    string
		created creation
		content string
		edit    func(p *PowerEdit)
		want    string
	}{
		{
			name:    "without the event, what holds there stays",
			created: creation{version: "11", creators: []id.UserID{bob}},
			content: `{}`,
			edit:    func(p *PowerEdit) { p.Users[carol] = 50 },
			want:    `{"state_default":0,"users":{"@bob:localhost":100,"@carol:localhost":50}}`,
		},
		{
			name:    "without the event, creators of version 12 are not listed",
			created: creation{version: "12", creators: []id.UserID{bob}},
			content: `{}`,
			edit:    func(p *PowerEdit) { p.Users[carol] = 50 },
			want:    `{"state_default":0,"users":{"@carol:localhost":50}}`,
		},
		{
			name:    "levels as texts, as old rooms have them",
			created: creation{version: "9"},
			content: `{"ban":"50","users":{"@bob:localhost":"100","@carol:localhost":" 10 "}}`,
			edit:    func(p *PowerEdit) { p.Users[carol] += 5; p.Kick = 40 },
			want:    `{"ban":"50","kick":40,"users":{"@bob:localhost":"100","@carol:localhost":15}}`,
		},
		{
			name:    "fields of a wrong type",
			created: creation{version: "9"},
			content: `{"users":{"@bob:localhost":100},"events":7,"notifications":[],"kick":null}`,
			edit:    func(p *PowerEdit) { p.Events["m.sticker"] = 1; p.NotifyRoom = 2 },
			want:    `{"events":{"m.sticker":1},"kick":null,"notifications":{"room":2},"users":{"@bob:localhost":100}}`,
		},
		{
			name:    "numbers beyond what a float holds",
			created: creation{version: "9"},
			content: `{"users":{"@bob:localhost":100},"org.example":12345678901234567890}`,
			edit:    func(p *PowerEdit) { delete(p.Users, carol); p.Users[bob] = 90 },
			want:    `{"org.example":12345678901234567890,"users":{"@bob:localhost":90}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			room := newRoom("!room:localhost")
			room.created = test.created
			var content fields
			if err := json.Unmarshal([]byte(test.content), &content); err != nil {
				t.Fatal(err)
			}
			changed, err := room.editPower(content, bob, test.edit)
			if err != nil || !changed {
				t.Fatalf("changed: %t, err: %v", changed, err)
			}
			got, err := json.Marshal(content)
			if err != nil || string(got) != test.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
			}
		})
	}
}
