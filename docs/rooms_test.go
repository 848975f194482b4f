package docs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in rooms.md, piece by piece.

func openProject(ctx context.Context, bot *niobot.Bot, space id.RoomID, name string, members ...id.UserID) error {
	room, err := bot.CreateRoom(ctx, niobot.NewRoom{
		Name:   name,
		Topic:  "All about " + name,
		Invite: members,
		Parent: space,
	})
	if err != nil {
		return err
	}
	sent, err := bot.Send(ctx, room, niobot.Markdown("**%s** begins here.", name))
	if err != nil {
		return err
	}
	return bot.Pin(ctx, room, sent.ID)
}

func onlyModeratorsWrite(ctx context.Context, bot *niobot.Bot, room id.RoomID) error {
	return bot.EditPower(ctx, room, func(p *niobot.PowerEdit) {
		p.EventsDefault = 50
		p.Events[event.EventReaction.Type] = 0
	})
}

type ticket struct {
	Number int    `json:"number"`
	Status string `json:"status"`
}

var ticketType = event.Type{Type: "org.example.ticket", Class: event.StateEventType}

func closeTicket(ctx context.Context, bot *niobot.Bot, room id.RoomID) error {
	t, err := niobot.State[ticket](ctx, bot, room, ticketType, "")
	if errors.Is(err, niobot.ErrNotFound) {
		return fmt.Errorf("%s is no ticket's room", room)
	}
	if err != nil {
		return err
	}
	t.Status = "closed"
	_, err = bot.SetState(ctx, room, ticketType, "", t)
	return err
}

// That was shown.

func TestRooms(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	ctx := t.Context()

	space, err := bot.CreateRoom(ctx, niobot.NewRoom{Name: "Projects", Space: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := openProject(ctx, bot, space, "Bridge", alice.ID()); err != nil {
		t.Fatal(err)
	}
	var project *niobot.Room
	hs.Settle()
	for _, room := range bot.Rooms() {
		if room.Topic() == "All about Bridge" {
			project = room
		}
	}
	if project == nil {
		t.Fatalf("the rooms: %v", bot.Rooms())
	}
	if pins := project.Pins(); len(pins) != 1 {
		t.Errorf("pinned: %v", pins)
	}
	if err := onlyModeratorsWrite(ctx, bot, project.ID()); err != nil {
		t.Fatal(err)
	}
	if err := closeTicket(ctx, bot, project.ID()); err == nil {
		t.Error("no error")
	}
	if _, err := bot.SetState(ctx, project.ID(), ticketType, "", ticket{7, "open"}); err != nil {
		t.Fatal(err)
	}
	hs.Settle()
	if err := closeTicket(ctx, bot, project.ID()); err != nil {
		t.Fatal(err)
	}
	hs.Settle()
	levels := project.PowerLevels()
	if levels.EventsDefault != 50 || levels.Event(event.EventReaction) != 0 {
		t.Errorf("the levels: %+v", levels)
	}
	closed, err := niobot.State[ticket](ctx, bot, project.ID(), ticketType, "")
	if err != nil || closed != (ticket{7, "closed"}) {
		t.Errorf("the ticket: %v, %v", closed, err)
	}
}
