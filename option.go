package niobot

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/attachment"
)

// Option adds optional behaviour to a bot; see [New]. A wrong value is reported by New, with the option's name.
type Option func(*settings)

// settings is what the options add up to.
type settings struct {
	logger       *slog.Logger
	prefixRegexp *regexp.Regexp
	prefixFunc   func(*Room, id.UserID) []string
	mention      bool
	bareDirect   bool
	exactCase    bool
	messageType  event.MessageType
	takeNotices  bool
	takeOwn      bool
	ignoreEdits  bool
	join         []JoinPolicy
	receipts     ReceiptMode
	presence     event.Presence
	cacheSize    int
	commandState bool
	help         *Command
	helpFormat   HelpFormat
	unknown      Handler
	texts        func(*Context) map[Text]string
	onError      ErrorHandler
	transport    *http.Transport
	maxSendAge   time.Duration
	store        Store
	encryption   Encryption
	standby      bool
	attachments  []attachment.RepositoryOption
	location     *time.Location
	errs         []error
}

func newSettings(opts []Option) *settings {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s := &settings{
		logger:      slog.Default(),
		messageType: event.MsgNotice,
		receipts:    ReceiptsPublic,
		cacheSize:   DefaultMessageCache,
		help:        defaultHelp(),
		helpFormat:  plainHelp{},
		unknown:     suggestCommand,
		onError:     replyWithError,
		maxSendAge:  DefaultMaxSendAge,
		transport:   transport,
		location:    time.UTC,
	}
	for i, opt := range opts {
		if opt == nil {
			s.wrong(fmt.Sprintf("options[%d]", i), "is nil")
			continue
		}
		opt(s)
	}
	return s
}

func (s *settings) wrong(option, reason string) {
	s.errs = append(s.errs, &ConfigError{Field: option, Reason: reason})
}

func (s *settings) hasOtherPrefix() bool {
	return s.prefixRegexp != nil || s.prefixFunc != nil || s.mention || s.bareDirect
}

// WithLogger sets where the bot logs to. Default: [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) {
		if logger == nil {
			s.wrong("WithLogger", "the logger is nil")
			return
		}
		s.logger = logger
	}
}

// WithPrefixRegexp makes what the expression matches at the start of a message a prefix, beside those of
// [Config.Prefixes]. A match may be empty, which makes the whole message a command line.
func WithPrefixRegexp(re *regexp.Regexp) Option {
	return func(s *settings) {
		if re == nil {
			s.wrong("WithPrefixRegexp", "the expression is nil")
			return
		}
		s.prefixRegexp = re
	}
}

// WithPrefixFunc adds the prefixes that f returns for a room and a sender to those of [Config.Prefixes]. It is called
// for each message, from several goroutines, and must not block. Empty prefixes are passed over.
func WithPrefixFunc(f func(room *Room, sender id.UserID) []string) Option {
	return func(s *settings) {
		if f == nil {
			s.wrong("WithPrefixFunc", "the function is nil")
			return
		}
		s.prefixFunc = f
	}
}

// WithMention makes a mention of the bot at the start of a message a prefix: its user id, or the name that a client
// shows for it where the message also mentions it (spec: "User and room mentions"), followed by ":" or "," or neither.
func WithMention() Option { return func(s *settings) { s.mention = true } }

// WithBareDirect makes commands need no prefix in direct rooms. A prefix may still be used there.
func WithBareDirect() Option { return func(s *settings) { s.bareDirect = true } }

// WithExactCase makes prefixes, command names and aliases match only as they are written. Without it, case is folded
// in all of them (Unicode simple folding).
func WithExactCase() Option { return func(s *settings) { s.exactCase = true } }

// WithMessageType sets the msgtype of what the bot sends where a call does not choose one: m.notice (the default, which
// other bots leave alone), m.text or m.emote.
func WithMessageType(t event.MessageType) Option {
	return func(s *settings) {
		if !t.IsText() {
			s.wrong("WithMessageType", string(t)+" is not m.notice, m.text or m.emote")
			return
		}
		s.messageType = t
	}
}

// WithNotices makes the bot take commands from m.notice messages as well, which bots send. Two bots that answer each
// other's notices never stop.
func WithNotices() Option { return func(s *settings) { s.takeNotices = true } }

// WithOwnMessages makes the bot take commands that its own account sends from other devices. What this device sends
// itself is never taken.
func WithOwnMessages() Option { return func(s *settings) { s.takeOwn = true } }

// WithoutEdits makes the bot pass over edits and redactions of commands. Without it, an edited command runs again and
// its replies are edited in place, and a redacted one is cancelled and its replies are redacted.
func WithoutEdits() Option { return func(s *settings) { s.ignoreEdits = true } }

// WithAutoJoin sets which invites the bot accepts: those that all the policies accept. Default: every invite.
// [JoinNone] accepts none.
func WithAutoJoin(policies ...JoinPolicy) Option {
	return func(s *settings) {
		for _, p := range policies {
			if p.accept == nil {
				s.wrong("WithAutoJoin", "a policy is empty; make it with JoinOwners and its kin")
			}
		}
		s.join = policies
	}
}

// WithReadReceipts sets whether the bot marks messages as read, and for whom. Default: [ReceiptsPublic].
func WithReadReceipts(mode ReceiptMode) Option {
	return func(s *settings) {
		if mode < ReceiptsPublic || mode > ReceiptsOff {
			s.wrong("WithReadReceipts", fmt.Sprintf("%d is no mode; see ReceiptsPublic", mode))
			return
		}
		s.receipts = mode
	}
}

// WithPresence sets the presence that the bot shows while it runs: online, unavailable or offline. Without it, the
// server decides.
func WithPresence(p event.Presence) Option {
	return func(s *settings) {
		switch p {
		case event.PresenceOnline, event.PresenceUnavailable, event.PresenceOffline:
			s.presence = p
		default:
			s.wrong("WithPresence", string(p)+" is not online, unavailable or offline")
		}
	}
}

// WithMessageCache sets how many of the latest messages [Bot.CachedMessage] finds, over all rooms. Zero: none.
// Default: 1,000.
func WithMessageCache(messages int) Option {
	return func(s *settings) {
		if messages < 0 {
			s.wrong("WithMessageCache", "a negative size")
			return
		}
		s.cacheSize = messages
	}
}

// WithLocation sets the time zone of the bot: of times that users write without one, such as 2026-12-24 18:00, of
// [Bot.Cron] where [In] sets no other, and of the times that jobs are told of. Default: UTC.
//
// The machine's own zone is [time.Local]. A program that is to find zones by their names on any machine imports
// time/tzdata.
func WithLocation(zone *time.Location) Option {
	return func(s *settings) {
		if zone == nil {
			s.wrong("WithLocation", "the time zone is nil")
			return
		}
		s.location = zone
	}
}

// DefaultMaxSendAge is how long a message is tried to be sent where [WithMaxSendAge] does not say.
const DefaultMaxSendAge = time.Hour

// WithMaxSendAge sets how long the bot tries to send a message that the server refuses for the rate of requests, or
// does not take since it can't be reached or has trouble. After that, the send returns [ErrTooOld]. Default: 1 h.
func WithMaxSendAge(d time.Duration) Option {
	return func(s *settings) {
		if d <= 0 {
			s.wrong("WithMaxSendAge", "the time is not positive")
			return
		}
		s.maxSendAge = d
	}
}

// WithHelp replaces the built-in help command. Nil: the bot has none.
func WithHelp(help *Command) Option { return func(s *settings) { s.help = help } }

// ErrorHandler is told of what a command's handler returned: its error, or a [*PanicError]. c is never nil.
type ErrorHandler func(ctx context.Context, c *Context, err error)

// WithErrorHandler replaces what is done with the error of a command. The default answers wrong arguments and failed
// checks with what was wrong; other errors are logged, and answered without their text. See [ReplyWithError].
func WithErrorHandler(h ErrorHandler) Option {
	return func(s *settings) {
		if h == nil {
			s.wrong("WithErrorHandler", "the handler is nil")
			return
		}
		s.onError = h
	}
}

// WithProxy makes all requests go through an http, https or socks5 proxy. Without it, the environment decides
// ([http.ProxyFromEnvironment]).
func WithProxy(proxy string) Option {
	return func(s *settings) {
		u, err := url.Parse(proxy)
		if err != nil || u.Host == "" {
			s.wrong("WithProxy", "not the URL of a proxy, such as \"socks5://127.0.0.1:9050\"")
			return
		}
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
			s.transport.Proxy = http.ProxyURL(u)
		default:
			s.wrong("WithProxy", "the scheme "+u.Scheme+" is not http, https or socks5")
		}
	}
}

// WithTLS sets how connections to the homeserver are secured: own authorities, a client certificate. The configuration
// is copied.
func WithTLS(conf *tls.Config) Option {
	return func(s *settings) {
		if conf == nil {
			s.wrong("WithTLS", "the configuration is nil")
			return
		}
		s.transport.TLSClientConfig = conf.Clone()
	}
}
