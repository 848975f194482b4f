package niobot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/attachment"
)

// Bot is a Matrix bot. It is made by [New]; its methods may be called from any goroutine. Those that talk to the
// server connect first where [Bot.Run] has not done so yet.
type Bot struct {
	config   Config
	settings *settings
	log      *slog.Logger

	router    router
	listeners listeners
	waiters   waiters
	pool      *pool
	history   history
	cache     messageCache
	rooms     rooms
	modules   modules
	hooks     hooks
	triggers  triggers
	describer *describer // nil unless asked for
	questions questions
	menus     menus
	direct    directs

	connecting gate
	connected  atomic.Bool
	client     *mautrix.Client // Set once connected is true, as are the ones below
	outbox     *outbox
	typing     *typing
	files      *attachment.Repository

	dispatcher *dispatcher
	receipts   *receipts
	joiner     *joiner
	seenLock   sync.Mutex
	seen       *seen
	seenRows   seenRows
	filters    syncFilters
	journal    *journal // nil where there is no store
	opened     bool     // Whether all that it needs was read from the store; of the goroutine of Run
	inbox      inbox
	queue      queue
	echoes     echoes // Of the bot's own events

	loadedRooms int // Rooms whose state is kept in memory where there is a store
	kv          kvTable
	jobs        jobs
	warned      sync.Map // Encrypted rooms that were warned of
	secret      sync.Map // Content of m.room.encryption by room id, as the server was asked; empty: not encrypted
	parked      parked
	encrypts    atomic.Bool // Whether encryption was started

	life    context.Context // Ends when the bot has ended; handlers live below it
	endLife context.CancelCauseFunc
	hearing context.Context // Ends when no more events come; handlers that run may go on for a while
	deafen  context.CancelCauseFunc
	state   atomic.Int32    // One of the states below
	closing context.Context // Ends when Close is called
	close   context.CancelFunc
	stopped chan struct{} // Closed when nothing runs any more
	ready   chan struct{}
}

// The states of a bot, in their order.
const (
	stateNew int32 = iota
	stateRunning
	stateClosed
)

// New makes a bot. It checks the configuration and all options, joins all that is wrong in one error of
// [*ConfigError] values, and opens no connection.
func New(config Config, opts ...Option) (*Bot, error) {
	s := newSettings(opts)
	if err := config.validate(s); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	config.Prefixes, config.Owners = slices.Clone(config.Prefixes), slices.Clone(config.Owners)
	// Each worker may have a request under way, beside the sync.
	s.transport.MaxIdleConnsPerHost = config.Workers + 4
	s.transport.MaxIdleConns = 0

	b := &Bot{
		config:   config,
		settings: s,
		log:      s.logger,
		router:   router{exactCase: s.exactCase},
		pool:     newPool(config.Workers),
		cache:    messageCache{size: s.cacheSize},
		seen:     newSeen(),
		stopped:  make(chan struct{}),
		ready:    make(chan struct{}),

		connecting:  newGate(),
		loadedRooms: maxLoadedRooms,
	}
	b.hooks.log = b.log
	b.queue.bot = b
	b.echoes.caught, b.inbox.echoes = b.ready, &b.echoes
	b.kv.stored, b.inbox.kv, b.kv.follow = b.keeps(), &b.kv, b.jobs.follow
	b.jobs.bot, b.jobs.wake = b, make(chan struct{}, 1)
	b.direct = directs{bot: b, writing: newGate()}
	b.dispatcher = &dispatcher{handle: b.dispatch, fill: b.fillGap}
	b.typing = &typing{send: b.sendTyping, log: b.log}
	b.life, b.endLife = context.WithCancelCause(context.Background())
	b.hearing, b.deafen = context.WithCancelCause(b.life)
	b.closing, b.close = context.WithCancel(context.Background())
	if s.commandState {
		b.describer = newDescriber(b)
	}
	if s.help != nil {
		b.router.fallback = b.router.newRoute(s.help, nil, nil)
	}
	if s.unknown != nil {
		b.router.unknown = b.router.newRoute(unknownCommand(s.unknown), nil, nil)
	}
	return b, nil
}

// Add adds commands. It panics, naming the command, where a name or alias is taken: that is a mistake in the program
// that its first start shows. A command called help takes the place of the built-in one.
func (b *Bot) Add(commands ...*Command) {
	for _, cmd := range commands {
		if cmd == nil {
			panic("niobot: Add: a command is nil")
		}
	}
	if err := b.router.add(nil, commands...); err != nil {
		panic("niobot: " + err.Error())
	}
}

// Remove removes a command and reports whether it was there. Its runs go on; another command of the same name stays.
func (b *Bot) Remove(cmd *Command) bool { return b.router.remove(cmd) }

// Commands are the bot's commands, without their subcommands, in the order in which they were added, the built-in help last.
func (b *Bot) Commands() []*Command { return b.router.list() }

// Command finds a command by its name or an alias, and a subcommand by its path, such as "config get".
func (b *Bot) Command(name string) (*Command, bool) {
	r, ok := b.router.find(name)
	if !ok {
		return nil, false
	}
	return r.cmd, true
}

// Use wraps the handlers of all commands, the first middleware outermost, and before those of the command itself.
func (b *Bot) Use(middleware ...Middleware) {
	if slices.ContainsFunc(middleware, func(m Middleware) bool { return m == nil }) {
		panic("niobot: Use: a middleware is nil")
	}
	b.router.use(middleware)
}

// Require lets all commands run only where the checks agree. They are asked before those of the command itself.
func (b *Bot) Require(checks ...Check) {
	if slices.ContainsFunc(checks, func(c Check) bool { return c == nil }) {
		panic("niobot: Require: a check is nil")
	}
	b.router.require(checks)
}

// UserID is the bot's user id, which the server tells when the bot connects; empty before.
func (b *Bot) UserID() id.UserID {
	if !b.connected.Load() {
		return ""
	}
	return b.client.UserID
}

// DeviceID is the bot's device, which the server tells when the bot connects; empty before.
func (b *Bot) DeviceID() id.DeviceID {
	if !b.connected.Load() {
		return ""
	}
	return b.client.DeviceID
}

// Client connects and returns the client that the bot sends its requests with, for what niobot itself has no call for.
// It repeats nothing by itself. Its fields must not be changed.
func (b *Bot) Client(ctx context.Context) (*mautrix.Client, error) {
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	return b.client, nil
}

// Logger is the bot's logger.
func (b *Bot) Logger() *slog.Logger { return b.log }

// Ready is closed when the first sync is done: rooms and members are known, and commands are taken.
func (b *Bot) Ready() <-chan struct{} { return b.ready }

// Room is a room that the bot knows; ok is false for others.
func (b *Bot) Room(room id.RoomID) (r *Room, ok bool) { return b.rooms.find(room) }

// Rooms are the rooms that the bot is in, in the order of their ids.
func (b *Bot) Rooms() []*Room {
	return slices.DeleteFunc(b.rooms.list(), func(r *Room) bool { return r.Membership() != event.MembershipJoin })
}

// Location is the bot's time zone; see [WithLocation].
func (b *Bot) Location() *time.Location { return b.settings.location }

// IsOwner tells whether the user stands in [Config.Owners].
func (b *Bot) IsOwner(user id.UserID) bool { return slices.Contains(b.config.Owners, user) }

// Go runs f on a goroutine that the bot owns: its context ends as soon as the bot stops, [Bot.Run] waits for it, and a
// panic or error of it is logged. It is for work that goes on beside commands. On a bot that was stopped it does nothing.
func (b *Bot) Go(f func(ctx context.Context) error) {
	b.dispatcher.goOwned(func() { b.carry(b.hearing, b.log, f) })
}

// carry runs work that goes on beside commands, and tells how it ended.
func (b *Bot) carry(ctx context.Context, log *slog.Logger, f func(ctx context.Context) error) {
	err := recovered(func() error { return f(ctx) })
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
		log.Error("work ended with an error", "err", err, "stack", stackOf(err))
	}
}

// Run connects and works until ctx ends or the homeserver no longer accepts the token. It returns nil in the former
// case, after handlers had [Config.Drain] to end, and [ErrUnknownToken] in the latter. A bot runs once.
func (b *Bot) Run(ctx context.Context) error {
	switch {
	case b.state.CompareAndSwap(stateNew, stateRunning):
	case b.state.Load() == stateRunning:
		return ErrRunning
	default:
		return ErrClosed
	}
	defer close(b.stopped)
	defer b.state.Store(stateClosed)
	defer b.endLife(ErrClosed)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.closing, func() { cancel(ErrClosed) })()
	err := b.connect(ctx)
	if err != nil {
		err = fmt.Errorf("connect: %w", err)
	} else {
		b.warnStart()
		err = b.begin(ctx, cancel)
	}
	b.windDown()
	if lost := context.Cause(ctx); isStoreLost(lost) {
		return lost
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin goes on where the bot ended the last time. cancel ends ctx.
func (b *Bot) begin(ctx context.Context, cancel context.CancelCauseFunc) error {
	at, err := b.open(ctx, func(err error) { cancel(err) })
	if err != nil {
		return err
	}
	b.opened = true
	if b.settings.encryption != nil {
		if err := b.startEncryption(ctx); err != nil {
			return err
		}
		b.encrypts.Store(true)
	}
	b.tellStart(ctx)
	b.queue.start()
	return b.work(ctx, at)
}

// work syncs until ctx ends, with what runs beside that.
func (b *Bot) work(ctx context.Context, at resumption) error {
	aside, endAside := context.WithCancel(context.WithoutCancel(ctx))
	b.receipts = newReceipts(b.settings.receipts, b.client, b.log)
	b.joiner = newJoiner(aside, b)
	var owned sync.WaitGroup
	owned.Go(func() { b.receipts.run(aside) })
	owned.Go(func() { b.showPresence(aside) })
	owned.Go(func() { b.awaitReady(aside) })
	owned.Go(func() { b.sweepKV(aside) })
	owned.Go(func() { b.runJobs(aside) })
	if b.describer != nil {
		owned.Go(func() { b.describer.run(aside) })
	}
	b.dispatcher.begin(b.life)

	b.endLive(ctx)
	err := b.resume(ctx, at.crashes)
	if err == nil {
		err = b.sync(ctx, at)
	}

	b.quiet()
	endAside()
	b.joiner.wait()
	owned.Wait()
	return err
}

// quiet takes no more work, and ends what waits for events.
func (b *Bot) quiet() {
	b.deafen(ErrClosed)
	b.dispatcher.stop()
	b.pool.close()
}

// windDown waits for what goes on, and frees what the bot holds.
func (b *Bot) windDown() {
	b.quiet()
	b.drain()
	b.tellStop()
	ctx, cancel := context.WithTimeout(context.Background(), lastDrain)
	defer cancel()
	b.unmountAll(ctx)
	b.endLife(ErrClosed)
	b.parked.stop()
	b.queue.stop()
	if b.encrypts.Load() {
		if err := b.settings.encryption.Stop(ctx); err != nil {
			b.log.Warn("encryption not stopped", "err", err)
		}
	}
	b.release()
	b.typing.close()
	b.settings.transport.CloseIdleConnections()
}

// drain lets handlers and listeners end: by themselves within Config.Drain, then by their contexts.
func (b *Bot) drain() {
	wait := func(limit time.Duration) bool {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		return b.pool.wait(ctx) == nil && b.dispatcher.wait(ctx) == nil && b.hooks.wait(ctx) == nil
	}
	if b.config.Drain > 0 && wait(b.config.Drain) {
		return
	}
	b.endLife(ErrClosed)
	if !wait(lastDrain) {
		b.log.Error("handlers do not end though their context has", "waited", lastDrain)
	}
}

// lastDrain is how long handlers may take to heed the end of their context.
const lastDrain = 5 * time.Second

// Close ends [Bot.Run], waits until it has returned, and frees what the bot holds. It may be called at any time, also
// twice, and always returns nil. A handler must not call it, since it would wait for itself: it ends Run's context.
func (b *Bot) Close() error {
	b.close()
	if b.state.CompareAndSwap(stateNew, stateClosed) {
		b.windDown()
		close(b.stopped)
	}
	<-b.stopped
	return nil
}

// background is the context of what the bot does on its own.
func (b *Bot) background() context.Context { return b.life }

// warnStart tells of settings that are likely to be mistakes.
func (b *Bot) warnStart() {
	own := b.UserID()
	if b.IsOwner(own) && !b.settings.takeOwn {
		b.log.Warn("the bot is among its own owners, whose messages it passes over; see WithOwnMessages", "user_id", own)
	}
	for _, p := range b.config.Prefixes {
		switch p[0] {
		case '/':
			b.log.Warn("clients take a message that begins with / for a command of their own", "prefix", p)
		case '>':
			b.log.Warn("clients take a message that begins with > for a quote", "prefix", p)
		}
	}
	if b.settings.takeNotices && b.settings.messageType == event.MsgNotice {
		b.log.Warn("the bot takes commands from notices and answers by notices; two such bots never stop")
	}
}
