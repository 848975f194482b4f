package niobot

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"

	"maunium.net/go/mautrix/id"
)

// Defaults of [Config].
const (
	DefaultWorkers = 64
	DefaultDrain   = 10 * time.Second
	DefaultBacklog = 10 * time.Minute
)

// Config holds what a bot can't do without and the numbers that shape its work. Optional behaviour is added with
// the options of [New]. The token is left out when a Config is printed or logged.
type Config struct {
	// Homeserver is the base URL of the homeserver's client API, such as "https://matrix.example.org", or a bare
	// server name, such as "example.org", which is looked up in its .well-known file when the bot connects
	// (spec: Client-Server API, "Server discovery"). Required.
	Homeserver string

	// Token is the access token of the bot's account. The user and the device it belongs to are asked of the
	// server. Required.
	Token string

	// Prefixes are the texts that a message begins with to be a command, such as "!". Where several fit, the
	// longest wins. White space inside a prefix counts ("hey bot "). None: only what [WithPrefixRegexp],
	// [WithPrefixFunc], [WithMention] and [WithBareDirect] allow, of which one is then required.
	Prefixes []string

	// Owners are the users that [OwnerOnly] and [JoinOwners] accept. Optional.
	Owners []id.UserID

	// Workers is how many handlers run at once; further ones wait their turn. A handler that waits for an event
	// gives its place to another meanwhile. Zero: 64.
	Workers int

	// Drain is how long handlers may go on after Run's context has ended, before their own context is cancelled.
	// Zero: 10 s. Negative: they are cancelled at once.
	Drain time.Duration

	// Backlog is how old what came while the bot was down may be, by the homeserver's clock, to be worked on when it
	// is back; see [WithStore]. What it was working on when it ended is finished whatever its age. Zero: 10 min.
	// Negative: all that came is worked on.
	Backlog time.Duration
}

var (
	_ slog.LogValuer = Config{}
	_ fmt.Stringer   = Config{}
	_ fmt.GoStringer = Config{}
)

// LogValue implements [slog.LogValuer]; it leaves the token out.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("homeserver", c.Homeserver),
		slog.String("token", redacted(c.Token)),
		slog.Any("prefixes", c.Prefixes),
		slog.Any("owners", c.Owners),
		slog.Int("workers", c.Workers),
		slog.Duration("drain", c.Drain),
		slog.Duration("backlog", c.Backlog),
	)
}

// String implements [fmt.Stringer]; it leaves the token out.
func (c Config) String() string {
	return fmt.Sprintf("{Homeserver:%q Token:%s Prefixes:%q Owners:%q Workers:%d Drain:%s Backlog:%s}",
		c.Homeserver, redacted(c.Token), c.Prefixes, c.Owners, c.Workers, c.Drain, c.Backlog)
}

// GoString implements [fmt.GoStringer]; it leaves the token out.
func (c Config) GoString() string { return "niobot.Config" + c.String() }

func redacted(secret string) string {
	if secret == "" {
		return ""
	}
	return "[redacted]"
}

// withDefaults is c with its zero numbers replaced.
func (c Config) withDefaults() Config {
	if c.Workers == 0 {
		c.Workers = DefaultWorkers
	}
	if c.Drain == 0 {
		c.Drain = DefaultDrain
	}
	if c.Backlog == 0 {
		c.Backlog = DefaultBacklog
	}
	return c
}

// ConfigError is one mistake in a [Config] or an option. [New] joins all that it finds; errors.As gives the first.
type ConfigError struct {
	Field  string // The field of Config, or the name of the option
	Reason string // What is wrong, and what would be right
}

// Error implements error: the field and what is wrong with it.
func (e *ConfigError) Error() string { return "niobot: " + e.Field + ": " + e.Reason }

func (c Config) validate(s *settings) error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, &ConfigError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	if err := checkHomeserver(c.Homeserver); err != nil {
		wrong("Config.Homeserver", "%v", err)
	}
	switch {
	case c.Token == "":
		wrong("Config.Token", "is empty; log in once to get an access token")
	case strings.ContainsFunc(c.Token, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		wrong("Config.Token", "holds white space; was the file read with its line end?")
	}
	if len(c.Prefixes) == 0 && !s.hasOtherPrefix() {
		wrong("Config.Prefixes", "is empty, so no message could be a command; set a prefix such as \"!\", or WithMention")
	}
	for i, p := range c.Prefixes {
		if strings.TrimSpace(p) == "" {
			wrong(fmt.Sprintf("Config.Prefixes[%d]", i), "%q would make every message a command; see WithBareDirect", p)
		}
	}
	for i, owner := range c.Owners {
		if err := checkUserID(owner); err != nil {
			wrong(fmt.Sprintf("Config.Owners[%d]", i), "%v", err)
		}
	}
	if c.Workers < 0 {
		wrong("Config.Workers", "%d is negative", c.Workers)
	}
	if s.encryption != nil && s.store == nil {
		wrong("WithEncryption", "needs WithStore, since a device that forgets its keys can't be trusted")
	}
	errs = append(errs, s.errs...)
	return errors.Join(errs...)
}

// checkHomeserver accepts an http(s) URL without query and fragment, or a server name.
func checkHomeserver(s string) error {
	if s == "" {
		return errors.New("is empty; set it to a URL such as \"https://matrix.example.org\"")
	}
	if !strings.Contains(s, "://") {
		if strings.ContainsAny(s, "/?#@ \t\r\n") {
			return fmt.Errorf("%q is neither a URL nor a server name", s)
		}
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		// What can't be parsed may hold a password, so it is not shown.
		return fmt.Errorf("is no URL: %w", errors.Unwrap(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q has the scheme %q; only http and https are spoken", s, u.Scheme)
	case u.Host == "":
		return fmt.Errorf("%q names no host", s)
	case u.User != nil:
		return fmt.Errorf("%q holds credentials; the token belongs into Config.Token", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q has a query or a fragment; a base URL has neither", s)
	}
	return nil
}

// checkUserID is strict about the shape, not about the characters: historical ids hold almost any
// (spec: Appendices, "User identifiers").
func checkUserID(user id.UserID) error {
	localpart, server, ok := strings.Cut(strings.TrimPrefix(string(user), "@"), ":")
	if !strings.HasPrefix(string(user), "@") || !ok || localpart == "" || server == "" {
		return fmt.Errorf("%q is no user id; one looks like @name:example.org", user)
	}
	if len(user) > id.UserIDMaxLength {
		return fmt.Errorf("%.40q… is longer than %d bytes, which no user id is", user, id.UserIDMaxLength)
	}
	return nil
}

// isLoopback tells whether the URL's host is this machine, where plain http is no risk.
func isLoopback(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}
