package niobottest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/testbed"
)

// CallOption changes how [Call] calls a command.
type CallOption func(*call)

type call struct {
	from   string
	owner  bool
	power  int
	bot    int
	direct bool
}

// From sets the localpart of the user who calls. Default: "alice".
func From(localpart string) CallOption { return func(c *call) { c.from = localpart } }

// AsOwner makes the user who calls an owner of the bot.
func AsOwner() CallOption { return func(c *call) { c.owner = true } }

// WithPower sets the power level of the user who calls. Default: 0.
func WithPower(level int) CallOption { return func(c *call) { c.power = level } }

// WithBotPower sets the bot's power level. Default: 0.
func WithBotPower(level int) CallOption { return func(c *call) { c.bot = level } }

// InDirectRoom makes the room a direct one of the bot and the user.
func InDirectRoom() CallOption { return func(c *call) { c.direct = true } }

// Result is what came of a [Call].
type Result struct {
	Replies   []string // The texts that the bot sent, in order, each as its latest edit left it
	HTML      []string // Their HTML, empty where there is none
	Reactions []string // The keys of the bot's reactions to the command's message
	Err       error    // What the handler, a check or the binding of the arguments returned
}

// Reply is the first text that the bot sent, and empty where it sent none.
func (r *Result) Reply() string {
	if len(r.Replies) == 0 {
		return ""
	}
	return r.Replies[0]
}

// Call calls one command with a line of arguments, as a user types them after its name, and returns what it did. There
// is no server and no network: what the command asks of one is answered inside the test. The command runs with its
// checks and its middleware, and errors are answered as a bot does without an error handler of its own.
func Call(t testing.TB, cmd *niobot.Command, args string, opts ...CallOption) *Result {
	t.Helper()
	set := call{from: "alice"}
	for _, opt := range opts {
		opt(&set)
	}
	config := niobot.Config{Homeserver: "http://homeserver.invalid", Token: "token", Prefixes: []string{"!"}}
	if set.owner {
		config.Owners = []id.UserID{id.NewUserID(set.from, "localhost")}
	}
	bot, err := niobot.New(config, niobot.WithLogger(slog.New(slog.DiscardHandler)), niobot.WithHelp(nil))
	if err != nil {
		t.Fatalf("niobottest: %v", err)
	}
	bot.Add(cmd)
	s := newServer(t, bot, nil)
	defer func() {
		_ = bot.Close() // It returns no error.
		_ = s.hs.Close()
	}()
	s.bed.Homeserver, s.bed.Transport = s.homeserver().String(), s.hs.Transport()
	ctx := testbed.Put(s.deadline(), s.bed)
	room := s.callRoom(ctx, set)

	text := "!" + cmd.Name()
	if args != "" {
		text += " " + args
	}
	said := s.User(set.from).Say(room, text)
	e, err := s.hs.WaitFor(ctx, room, func(e *event.Event) bool { return e.ID == said.ID })
	if err != nil {
		t.Fatalf("niobottest: %v", err)
	}
	result := &Result{Err: bot.Process(ctx, e)}
	if errors.Is(result.Err, niobot.ErrNotCommand) {
		t.Fatalf("niobottest: %q calls no command", text)
	}
	s.collect(result, said)
	return result
}

// callRoom makes the room that the command is called in.
func (s *Server) callRoom(ctx context.Context, set call) id.RoomID {
	s.t.Helper()
	admin, caller := s.User("admin"), s.User(set.from)
	bot := &mautrix.Client{HomeserverURL: s.homeserver(), UserID: s.botID, AccessToken: s.token, Client: s.httpClient()}
	made, err := admin.client.CreateRoom(ctx, &mautrix.ReqCreateRoom{
		Preset: "public_chat", Invite: []id.UserID{s.botID, caller.ID()}, IsDirect: set.direct,
		PowerLevelOverride: &event.PowerLevelsEventContent{Users: map[id.UserID]int{
			admin.ID(): 100, caller.ID(): set.power, s.botID: set.bot,
		}},
	})
	admin.must("make a room", err)
	for _, client := range []*mautrix.Client{bot, caller.client} {
		if _, err := client.JoinRoomByID(ctx, made.RoomID); err != nil {
			s.t.Fatalf("niobottest: join the room: %v", err)
		}
	}
	if set.direct {
		if err := bot.SetAccountData(ctx, event.AccountDataDirectChats.Type,
			map[id.UserID][]id.RoomID{caller.ID(): {made.RoomID}}); err != nil {
			s.t.Fatalf("niobottest: mark the direct room: %v", err)
		}
	}
	return made.RoomID
}

// collect reads what the bot has done in the room.
func (s *Server) collect(result *Result, said *Message) {
	places := make(map[id.EventID]int)
	for _, e := range s.hs.Timeline(said.RoomID) {
		if e.Sender != s.botID {
			continue
		}
		switch e.Type {
		case event.EventMessage:
			content := e.Content.AsMessage()
			rel := relation(e)
			if place, known := places[rel.EventID]; known && rel.Type == event.RelReplace && content.NewContent != nil {
				result.Replies[place] = content.NewContent.Body
				result.HTML[place] = content.NewContent.FormattedBody
				continue
			}
			places[e.ID] = len(result.Replies)
			result.Replies = append(result.Replies, content.Body)
			result.HTML = append(result.HTML, content.FormattedBody)
		case event.EventReaction:
			if rel := e.Content.AsReaction().RelatesTo; rel.EventID == said.ID {
				result.Reactions = append(result.Reactions, strings.TrimSpace(rel.Key))
			}
		}
	}
}
