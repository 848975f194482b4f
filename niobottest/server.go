package niobottest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/testbed"
)

// DefaultTimeout is how long a test waits for what it expects where [Timeout] does not say.
const DefaultTimeout = 30 * time.Second

// BotName is the localpart of the bot's account where [BotAs] does not say.
const BotName = "bot"

// Option changes how [Start] sets a test up.
type Option func(*settings)

type settings struct {
	timeout time.Duration
	botName string
	version id.RoomVersion
	logger  *slog.Logger
	device  Device
}

// Timeout sets how long a test waits for what it expects. Default: 30 s.
func Timeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// BotAs sets the localpart of the bot's account. Default: "bot".
func BotAs(localpart string) Option { return func(s *settings) { s.botName = localpart } }

// RoomVersion sets the version of the rooms that are made: "10", "11" or "12". Default: "11".
func RoomVersion(v id.RoomVersion) Option { return func(s *settings) { s.version = v } }

// ServerLog makes the homeserver log each request, at level Debug.
func ServerLog(logger *slog.Logger) Option { return func(s *settings) { s.logger = logger } }

// Server is a homeserver inside a test, with a bot that runs on it. Its methods, and those of its users, are for the
// test's own goroutine.
type Server struct {
	*town
	bot      *niobot.Bot
	botID    id.UserID
	token    string
	bed      *testbed.Bed
	users    map[string]*User
	expected map[id.EventID]bool // Events of the bot that an expectation has taken
	settler  *testbed.Settler
	process  *process
	ended    chan struct{} // Closed when Run has returned
	stop     context.CancelFunc
	runErr   error
}

// town is what the bots on one homeserver share.
type town struct {
	t       testing.TB
	hs      *fakehs.Server
	timeout time.Duration
	bots    []*Server // The first is that of Start
	people  map[string]*person
	secrets secrets
}

// Start runs the bot on a homeserver of its own, and returns when it is ready. At the end of the test the bot is
// stopped; if it ended by itself before, with an error, the test fails.
func Start(t testing.TB, bot *niobot.Bot, opts ...Option) *Server {
	t.Helper()
	s := newServer(t, bot, opts)
	if _, err := s.hs.Listen(); err != nil {
		t.Fatalf("niobottest: start homeserver: %v", err)
	}
	t.Cleanup(s.finish)
	s.run(bot)
	return s
}

// newServer makes a homeserver with an account for the bot, and opens nothing.
func newServer(t testing.TB, bot *niobot.Bot, opts []Option) *Server {
	t.Helper()
	set := settings{timeout: DefaultTimeout, botName: BotName}
	for _, opt := range opts {
		opt(&set)
	}
	shared := &town{
		t:       t,
		hs:      fakehs.New(fakehs.Options{DefaultRoomVersion: set.version, Logger: set.logger}),
		timeout: set.timeout,
		people:  make(map[string]*person),
		secrets: secrets{device: set.device, opened: make(map[id.EventID]*event.Event)},
	}
	return shared.house(set.botName, bot)
}

// house gives a bot an account.
func (s *town) house(localpart string, bot *niobot.Bot) *Server {
	s.t.Helper()
	session := s.register(localpart)
	made := &Server{
		town:     s,
		bot:      bot,
		botID:    session.UserID,
		token:    session.Token,
		bed:      &testbed.Bed{Token: session.Token},
		users:    make(map[string]*User),
		expected: make(map[id.EventID]bool),
	}
	made.settler = testbed.NewSettler(made.bed, made.putMarker)
	s.bots = append(s.bots, made)
	return made
}

func (s *town) register(localpart string) fakehs.Session {
	s.t.Helper()
	user, err := s.hs.Register(localpart, localpart+" password")
	if err != nil {
		s.t.Fatalf("niobottest: register %s: %v", localpart, err)
	}
	session, err := s.hs.LogIn(user, "")
	if err != nil {
		s.t.Fatalf("niobottest: log in %s: %v", localpart, err)
	}
	return session
}

func (s *Server) finish() {
	for _, each := range s.bots {
		if each.ended == nil {
			continue // It never ran.
		}
		if !each.runs() && each.runErr != nil {
			s.t.Errorf("niobottest: the bot %s ended by itself: %v", each.botID.Localpart(), each.runErr)
		}
		_ = each.Stop() // Told above, where it came by itself; else it is the test's own doing.
	}
	s.retire()
	if err := s.hs.Close(); err != nil {
		s.t.Errorf("niobottest: stop homeserver: %v", err)
	}
}

// Bot is the bot under test.
func (s *Server) Bot() *niobot.Bot { return s.bot }

// BotID is the user id of the bot under test.
func (s *Server) BotID() id.UserID { return s.botID }

// URL is the base URL of the homeserver.
func (s *Server) URL() string { return s.hs.URL() }

// Restart stops the homeserver and starts it again with what it held: connections are cut, and refused for a moment.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.hs.Restart(s.deadline()); err != nil {
		s.t.Fatalf("niobottest: restart homeserver: %v", err)
	}
}

// RevokeToken makes the bot's token unknown, as an administrator does who logs the bot out.
func (s *Server) RevokeToken() {
	s.t.Helper()
	if !s.hs.Revoke(s.token, false) {
		s.t.Fatal("niobottest: the bot's token is already revoked")
	}
}

// deadline is a context for one wait.
func (s *town) deadline() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), s.timeout)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *Server) mark(_ context.Context, e *niobot.Event) error {
	var m testbed.Marker
	if err := e.Decode(&m); err != nil {
		return err
	}
	s.settler.Saw(m)
	return nil
}

// putMarker goes past the network, which a test may have cut.
func (s *Server) putMarker(ctx context.Context, m testbed.Marker) error {
	client := &mautrix.Client{HomeserverURL: s.homeserver(), UserID: s.botID, AccessToken: s.token, Client: s.httpClient()}
	return client.SetAccountData(ctx, testbed.MarkerType, m)
}

// Settle returns when the bot has seen all that was sent so far and works on nothing any more. Handlers that wait for
// an event are left waiting. Where there are several bots, it waits until none of them has anything left to say.
func (s *Server) Settle() {
	s.t.Helper()
	s.settle()
	if len(s.bots) == 1 {
		return
	}
	ctx := s.deadline()
	for before := -1; ctx.Err() == nil; {
		for _, each := range s.bots {
			if each.runs() {
				each.settle()
			}
		}
		now := 0
		for _, each := range s.bots {
			for _, room := range s.hs.Rooms(each.botID) {
				now += len(s.hs.Timeline(room))
			}
		}
		if now == before {
			return
		}
		before = now
	}
	s.t.Fatalf("niobottest: the bots did not come to rest within %s", s.timeout)
}

func (s *Server) settle() {
	s.t.Helper()
	switch err := s.settler.Settle(s.deadline(), s.ended); {
	case errors.Is(err, testbed.ErrEnded):
		s.t.Fatalf("niobottest: the bot ended: %v", s.runErr)
	case err != nil:
		s.t.Fatalf("niobottest: %v (after at most %s)", err, s.timeout)
	}
}
