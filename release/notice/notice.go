// Package notice lets a bot tell its owners when the project that it is built on should be upgraded: when its version
// is out of support, or an urgent release is out.
//
//	bot.Go(notice.Watch(bot, notice.Options{Owners: owners}))
//
// It is never on by itself. It asks the module proxy that GOPROXY names, as the go command does, for what is the same
// for everybody; see [release.Checker].
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/release"
)

// Module is the module path of niobot, without /vN.
const Module = "github.com/niobot/niobot"

// Options changes how [Watch] works.
type Options struct {
	// Owners are told, each in their direct room with the bot. Required.
	Owners []id.UserID
	// Version is the version to check. Empty: the one that the program was built with; a program that was built from a
	// checkout has none, and nothing is checked.
	Version string
	// Checker asks the module proxy. Nil: one for niobot, by GOPROXY, that keeps its answers in CacheDir.
	Checker *release.Checker
	// CacheDir is where answers are kept, and what the owners were told, so that a bot that restarts often does not tell
	// them each time. Empty: "niobot" in the user's cache folder.
	CacheDir string
	// Every is the time between two checks. Zero: 24 h.
	Every time.Duration
}

// every is the time between two checks by default, remind that after which the same is said again.
const (
	every  = 24 * time.Hour
	remind = 7 * 24 * time.Hour
)

// Watch returns work for [niobot.Bot.Go]: when the bot is ready, and daily after that, it checks the version and tells
// the owners what they should do. The same is told once a week at most. What goes wrong is logged, and tried again the
// next day.
func Watch(bot *niobot.Bot, opts Options) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		w, err := newWatch(bot, opts)
		if errors.Is(err, release.ErrNotReleased) {
			bot.Logger().Info("not built from a release; there is no version to check", "err", err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("watch for releases: %w", err)
		}
		select {
		case <-bot.Ready():
		case <-ctx.Done():
			return nil
		}
		ticker := time.NewTicker(w.every)
		defer ticker.Stop()
		for {
			if err := w.check(ctx); err != nil && ctx.Err() == nil {
				bot.Logger().Warn("can't tell whether an upgrade is needed", "version", w.version, "err", err)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// DefaultChecker is the checker for niobot itself: by GOPROXY, and with its answers kept in the folder, or, if that is
// empty, in "niobot" in the user's cache folder. Where there is no such folder nothing is kept.
func DefaultChecker(goproxy, cacheDir string) (*release.Checker, error) {
	proxy, err := release.ProxyOf(goproxy)
	if err != nil {
		return nil, err
	}
	return &release.Checker{Module: Module, Proxy: proxy, CacheDir: orUserCache(cacheDir)}, nil
}

func orUserCache(dir string) string {
	if dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "niobot")
}

// watch is what Watch knows while it works.
type watch struct {
	bot     *niobot.Bot
	checker *release.Checker
	owners  []id.UserID
	version string
	every   time.Duration
	told    string // The file that says what was told, or empty
	latest  string // What was told last, by its hash
}

func newWatch(bot *niobot.Bot, opts Options) (*watch, error) {
	w := &watch{bot: bot, checker: opts.Checker, version: opts.Version, every: opts.Every}
	w.owners = slices.Clone(opts.Owners)
	if len(w.owners) == 0 {
		return nil, errors.New("Options.Owners is empty, so nobody would be told")
	}
	if w.version == "" {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return nil, release.ErrNotReleased
		}
		var err error
		if _, w.version, err = release.OwnVersion(info, Module); err != nil {
			return nil, err
		}
	}
	if _, err := release.ParseVersion(w.version); err != nil {
		return nil, fmt.Errorf("Options.Version: %w", err)
	}
	if w.checker == nil {
		var err error
		if w.checker, err = DefaultChecker(os.Getenv("GOPROXY"), opts.CacheDir); err != nil {
			return nil, err
		}
	}
	if w.every <= 0 {
		w.every = every
	}
	if dir := orUserCache(opts.CacheDir); dir != "" {
		w.told = filepath.Join(dir, "told")
	}
	return w, nil
}

func (w *watch) check(ctx context.Context) error {
	report, err := w.checker.Check(ctx, w.version)
	if err != nil {
		return err
	}
	if !report.NeedsAction() {
		return nil
	}
	title := "This bot should be upgraded."
	if report.Urgent {
		title = "An urgent release of niobot is out."
	}
	body := niobot.Markdown("**%s**\n\nniobot %s", title, report.String())
	hash := sha256.Sum256([]byte(body.Text))
	key := hex.EncodeToString(hash[:])
	if w.wasTold(key) {
		return nil
	}
	var errs []error
	for _, owner := range w.owners {
		if _, err := w.bot.SendDirect(ctx, owner, body); err != nil {
			errs = append(errs, fmt.Errorf("tell %s: %w", owner, err))
		}
	}
	if len(errs) < len(w.owners) {
		errs = append(errs, w.remember(key))
	}
	return errors.Join(errs...)
}

// wasTold tells whether the same was said within the last week.
func (w *watch) wasTold(key string) bool {
	if w.told == "" {
		return w.latest == key
	}
	info, err := os.Stat(w.told)
	if err != nil || time.Since(info.ModTime()) > remind {
		return false
	}
	last, err := os.ReadFile(w.told)
	return err == nil && string(last) == key
}

func (w *watch) remember(key string) error {
	w.latest = key
	if w.told == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(w.told), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.WriteFile(w.told, []byte(key), 0o600)
}
