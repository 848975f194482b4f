package fakehs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// Options configures a [Server]. The zero value is usable.
type Options struct {
	// ServerName is the domain of user ids, room ids and media. Default "localhost".
	ServerName string
	// DefaultRoomVersion is the version of rooms made without one: "10", "11" or "12". Default "11".
	DefaultRoomVersion id.RoomVersion
	// Logger receives one record a request at debug level. Nil discards them.
	Logger *slog.Logger
	// Now is the server's clock for origin_server_ts and age; timeouts use real time. Default [time.Now].
	Now func() time.Time
	// RegistrationSecret opens the shared-secret registration of Synapse and Dendrite. Empty closes it.
	RegistrationSecret string
	// MaxUpload is the largest media file, in bytes. Zero means 50 MiB.
	MaxUpload int64
	// MaxTimeline bounds the timeline limit that a sync filter may ask for, in events. Zero means 100, as on Synapse.
	MaxTimeline int
	// RestartDelay is how long [Server.Restart] refuses connections. Zero means 20 ms.
	RestartDelay time.Duration
	// Forgetful makes [Server.Restart] forget transaction ids, as a restart of Dendrite does. Syncs still tell them.
	Forgetful bool
}

// Server is a homeserver in memory. It implements [http.Handler]; [Server.Listen] gives it an address of its own.
type Server struct {
	opts Options
	mux  *http.ServeMux

	ctx    context.Context // ends with Close; long polls and timers watch it
	cancel context.CancelFunc
	calls  sync.WaitGroup

	network network

	mu         sync.Mutex
	closed     bool
	restarts   int
	pos        int64 // the last position given out in the one stream that all sync tokens count
	serial     uint64
	users      map[id.UserID]*user
	tokens     map[string]*device
	revoked    map[string]bool // token → soft logout
	rooms      map[id.RoomID]*room
	aliases    map[id.RoomAlias]*alias
	media      map[string]*mediaFile
	uiaFlows   map[string]*uiaSession
	nonces     map[string]bool
	faults     []*ActiveFault
	requestLog requestLog
	arrivals   bell // rings for each request, and for its answer
}

var _ http.Handler = (*Server)(nil)

// New returns a server without users or rooms. It opens nothing and starts no goroutine.
func New(opts Options) *Server {
	if opts.ServerName == "" {
		opts.ServerName = "localhost"
	}
	if opts.DefaultRoomVersion == "" {
		opts.DefaultRoomVersion = id.RoomV11
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MaxUpload == 0 {
		opts.MaxUpload = 50 << 20
	}
	if opts.MaxTimeline == 0 {
		opts.MaxTimeline = 100
	}
	if opts.RestartDelay == 0 {
		opts.RestartDelay = 20 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts:     opts,
		mux:      http.NewServeMux(),
		ctx:      ctx,
		cancel:   cancel,
		users:    make(map[id.UserID]*user),
		tokens:   make(map[string]*device),
		revoked:  make(map[string]bool),
		rooms:    make(map[id.RoomID]*room),
		aliases:  make(map[id.RoomAlias]*alias),
		media:    make(map[string]*mediaFile),
		uiaFlows: make(map[string]*uiaSession),
		nonces:   make(map[string]bool),
		pos:      1, // 0 is what an initial sync comes from
	}
	s.network.life, s.network.cut = context.WithCancel(ctx)
	s.register(routeTable())
	return s
}

// Name returns the server's domain, as in the ids that it makes.
func (s *Server) Name() string { return s.opts.ServerName }

// UserID returns the id that a user of this server with the given localpart has, whether or not it is registered.
func (s *Server) UserID(localpart string) id.UserID {
	return id.NewUserID(localpart, s.opts.ServerName)
}

// Close ends the server: the address is given up, connections are cut, long polls and timers end. It returns when the
// last request has ended, and may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, r := range s.rooms {
		r.stopTyping()
	}
	s.mu.Unlock()
	s.cancel()
	err := s.Unplug()
	s.calls.Wait()
	return err
}

// enter counts a request in, so that Close can wait for it; it reports false once the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.calls.Add(1)
	return true
}

// nextPos moves the stream on by one. The caller holds s.mu.
func (s *Server) nextPos() int64 {
	s.pos++
	return s.pos
}

// nextID returns a short name that this server has not used. The caller holds s.mu.
func (s *Server) nextID(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s%s", prefix, shortHash(s.opts.ServerName, prefix, s.serial))
}

func (s *Server) nowMilli() int64 { return s.opts.Now().UnixMilli() }
