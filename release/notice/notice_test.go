package notice_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/release"
	"github.com/niobot/niobot/release/notice"
)

// proxy is a module proxy in memory, which tells when it was asked for the first file.
type proxy struct {
	mu    sync.Mutex
	files map[string]string
	asked chan struct{}
}

func (p *proxy) Get(_ context.Context, path string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if path == "example.org/m/@v/list" {
		select {
		case p.asked <- struct{}{}:
		default: // Nobody counts so far.
		}
	}
	text, ok := p.files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func newProxy() *proxy {
	return &proxy{asked: make(chan struct{}, 1000), files: map[string]string{
		"example.org/m/@v/list":          "v0.9.0\nv1.0.0\nv1.0.1\nv1.0.2\n",
		"example.org/m/@v/v1.0.2.mod":    "module example.org/m\nretract v1.0.0 // [URGENT] GO-2026-0001: It leaks\n",
		"example.org/m/v2/@v/list":       "v2.0.0\n",
		"example.org/m/v2/@v/v2.0.0.mod": "module example.org/m/v2\n",
	}}
}

// lockedBuffer is a log that goroutines share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// house is a homeserver with a bot, whose owner is alice.
type house struct {
	t     *testing.T
	hs    *fakehs.Server
	token string
	bot   id.UserID
	alice id.UserID
	log   lockedBuffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, hs: fakehs.New(fakehs.Options{})}
	if _, err := h.hs.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.hs.Close() })
	var err error
	if h.alice, err = h.hs.Register("alice", "alice"); err != nil {
		t.Fatal(err)
	}
	if h.bot, err = h.hs.Register("bot", "bot"); err != nil {
		t.Fatal(err)
	}
	session, err := h.hs.LogIn(h.bot, "")
	if err != nil {
		t.Fatal(err)
	}
	h.token = session.Token
	return h
}

// run runs a bot that watches until stop is called.
func (h *house) run(opts notice.Options) (stop func()) {
	h.t.Helper()
	bot, err := niobot.New(niobot.Config{Homeserver: h.hs.URL(), Token: h.token, Prefixes: []string{"!"}},
		niobot.WithLogger(slog.New(slog.NewTextHandler(&h.log, nil))))
	if err != nil {
		h.t.Fatal(err)
	}
	if opts.Owners == nil {
		opts.Owners = []id.UserID{h.alice}
	}
	bot.Go(notice.Watch(bot, opts))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(context.WithoutCancel(h.t.Context())) }()
	return sync.OnceFunc(func() {
		_ = bot.Close()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
}

// told are the texts that the bot has sent, all in one room.
func (h *house) told() []string {
	var texts []string
	for _, room := range h.hs.Rooms(h.bot) {
		for _, m := range h.hs.Messages(room, h.bot) {
			texts = append(texts, m.Content.AsMessage().Body)
		}
	}
	return texts
}

// asked waits until the module proxy was asked so many times more.
func (h *house) asked(p *proxy, times int) {
	h.t.Helper()
	for len(p.asked) > 0 { // A bot that was stopped may have asked more often than was waited for.
		<-p.asked
	}
	for range times {
		select {
		case <-p.asked:
		case <-time.After(30 * time.Second):
			h.t.Fatalf("the module proxy was not asked; the log: %s", h.log.String())
		}
	}
}

func checker(p *proxy) *release.Checker { return &release.Checker{Module: "example.org/m", Proxy: p} }

const urgent = "An urgent release of niobot is out.\n\nniobot v1.0.0 is supported, and retracted: " +
	"[URGENT] GO-2026-0001: It leaks. Upgrade to v1.0.2 now."

func TestOwnersAreTold(t *testing.T) {
	for _, tt := range []struct{ name, version, want string }{
		{"an urgent release", "v1.0.0", urgent},
		{"nothing to do", "v1.0.1", ""},
		{"out of support", "v0.9.0",
			"This bot should be upgraded.\n\nniobot v0.9.0 is unsupported since v2.0.0. Upgrade to v2.0.0 now."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, p := newHouse(t), newProxy()
			stop := h.run(notice.Options{Version: tt.version, CacheDir: t.TempDir(), Checker: checker(p),
				Every: time.Millisecond})
			h.asked(p, 4) // When it asks for the fourth time, it is long done with what it was told first.
			stop()
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if got := h.told(); !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
			if len(h.hs.Rooms(h.bot)) > 1 {
				t.Error("the bot made more than one room")
			}
		})
	}
}

// A bot that restarts tells nothing twice, but what is new.
func TestOwnersAreToldOnce(t *testing.T) {
	h, p := newHouse(t), newProxy()
	opts := notice.Options{Version: "v1.0.0", CacheDir: filepath.Join(t.TempDir(), "new"), Checker: checker(p),
		Every: time.Millisecond}
	for range 2 {
		stop := h.run(opts)
		h.asked(p, 3)
		stop()
	}
	if got := h.told(); !slices.Equal(got, []string{urgent}) {
		t.Errorf("told %q", got)
	}
	p.mu.Lock()
	p.files["example.org/m/@v/list"] += "v1.0.3\n"
	p.files["example.org/m/@v/v1.0.3.mod"] = p.files["example.org/m/@v/v1.0.2.mod"]
	p.mu.Unlock()
	stop := h.run(opts)
	h.asked(p, 3)
	stop()
	if got := h.told(); len(got) != 2 || !strings.HasSuffix(got[1], "Upgrade to v1.0.3 now.") {
		t.Errorf("told %q", got)
	}
}

// What goes wrong is logged, and does not end the watch.
func TestTroubleIsLogged(t *testing.T) {
	h, p := newHouse(t), newProxy()
	p.files = nil
	stop := h.run(notice.Options{Version: "v1.0.0", CacheDir: t.TempDir(), Checker: checker(p),
		Every: time.Millisecond})
	h.asked(p, 3)
	stop()
	if got := h.log.String(); !strings.Contains(got, "can't tell whether an upgrade is needed") ||
		!strings.Contains(got, "no version was released yet") {
		t.Errorf("the log: %s", got)
	}
	if got := h.told(); len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

func TestWrongOptions(t *testing.T) {
	h := newHouse(t)
	for want, opts := range map[string]notice.Options{
		"Options.Owners is empty":   {Owners: []id.UserID{}, Version: "v1.0.0", Checker: checker(newProxy())},
		"Options.Version: \"1\" is": {Version: "1", Checker: checker(newProxy())},
	} {
		bot, err := niobot.New(niobot.Config{Homeserver: h.hs.URL(), Token: h.token, Prefixes: []string{"!"}})
		if err != nil {
			t.Fatal(err)
		}
		if opts.Owners == nil {
			opts.Owners = []id.UserID{h.alice}
		}
		if err := notice.Watch(bot, opts)(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		_ = bot.Close()
	}
}

// A program that was built from a checkout, as this test is, has no version to check.
func TestCheckoutIsNotWatched(t *testing.T) {
	h, p := newHouse(t), newProxy()
	bot, err := niobot.New(niobot.Config{Homeserver: h.hs.URL(), Token: h.token, Prefixes: []string{"!"}},
		niobot.WithLogger(slog.New(slog.NewTextHandler(&h.log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer bot.Close()
	if err := notice.Watch(bot,
		notice.Options{Owners: []id.UserID{h.alice}, Checker: checker(p)})(t.Context()); err != nil {
		t.Error(err)
	}
	if len(p.asked) > 0 || !strings.Contains(h.log.String(), "not built from a release") {
		t.Errorf("asked %d times; the log: %s", len(p.asked), h.log.String())
	}
}

func TestDefaultChecker(t *testing.T) {
	c, err := notice.DefaultChecker("", "here")
	if err != nil || c.Module != notice.Module || c.CacheDir != "here" {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := notice.DefaultChecker("off", ""); !errors.Is(err, release.ErrNoProxy) {
		t.Errorf("GOPROXY=off: %v", err)
	}
}
