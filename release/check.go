package release

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// Checker tells users of a project whether they should upgrade, by what the module proxy lists. What it asks is the
// same whatever they use: nothing of them is sent. Goroutines may share a Checker.
type Checker struct {
	// Module is the project's module path; a /vN at its end does not count. Required.
	Module string
	// Proxy is the module proxy. Required; see [ProxyOf].
	Proxy Getter
	// CacheDir is a folder for what the proxy said. Empty: nothing is kept.
	CacheDir string
	// MaxAge is how old the answer in the cache may be. Zero: 20 h, so that a daily check asks daily.
	MaxAge time.Duration
	// Now is the clock. Nil: [time.Now].
	Now func() time.Time
}

// Report is what there is to say about a version.
type Report struct {
	Version Version
	Status  Status
	// Upgrade is the newest release of the same major, or of the current one if the major is not supported, that is
	// later and not retracted; zero if there is none.
	Upgrade Version
	// Retracted is the reason for which the version was retracted. Empty: it was not.
	Retracted string
	// Urgent tells of a security release that this version lacks.
	Urgent bool
	// AsOf is when the module proxy was asked.
	AsOf time.Time
}

// NeedsAction tells whether the user should upgrade: for security, or since the version is no longer supported.
func (r Report) NeedsAction() bool { return r.Urgent || r.Retracted != "" || !r.Status.IsSupported() }

// String says all of it in a line or two for people.
func (r Report) String() string {
	line := fmt.Sprintf("%s is %s", r.Version, r.Status)
	if r.Retracted != "" {
		line += ", and retracted: " + r.Retracted
	}
	line += "."
	if !r.Upgrade.IsZero() {
		if r.NeedsAction() {
			line += " Upgrade to " + r.Upgrade.String() + " now."
		} else {
			line += " " + r.Upgrade.String() + " is out."
		}
	}
	return line
}

// defaultMaxAge is a little less than a day.
const defaultMaxAge = 20 * time.Hour

// Check reports on a version of the module. If the proxy can't be asked and the cache holds an older answer, that is
// used; [Report].AsOf tells.
func (c *Checker) Check(ctx context.Context, version string) (Report, error) {
	v, err := ParseVersion(version)
	if err != nil {
		return Report{}, err
	}
	s, err := c.snapshot(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("ask the module proxy: %w", err)
	}
	h, err := s.Catalogue.history()
	if err != nil {
		return Report{}, err
	}
	r := Report{Version: v, AsOf: s.Fetched}
	if r.Status, err = h.Status(v); err != nil {
		return Report{}, err
	}
	for _, withdrawn := range s.Catalogue.Retractions {
		if !withdrawn.has(v) {
			continue
		}
		r.Retracted = withdrawn.Reason
		if r.Retracted == "" {
			r.Retracted = "no reason is given"
		}
		if strings.HasPrefix(withdrawn.Reason, urgentMark) {
			r.Urgent = true
			break
		}
	}
	r.Upgrade = s.Catalogue.upgrade(h, r.Status)
	return r, nil
}

// upgrade is the newest release to take in place of a version.
func (c *catalogue) upgrade(h *History, s Status) Version {
	major := s.Version.major
	if !s.IsSupported() && !s.Preview {
		major = h.Current()
	}
	best := Version{}
	for _, v := range h.versions {
		if v.major == major && !v.IsPrerelease() && v.Compare(s.Version) > 0 && !c.withdraws(v) {
			best = v
		}
	}
	return best
}

func (c *catalogue) withdraws(v Version) bool {
	for _, r := range c.Retractions {
		if r.has(v) {
			return true
		}
	}
	return false
}

// snapshot is what the module proxy said at a time.
type snapshot struct {
	Module    string     `json:"module"`
	Fetched   time.Time  `json:"fetched"`
	Catalogue *catalogue `json:"catalogue"`
}

func (c *Checker) snapshot(ctx context.Context) (*snapshot, error) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	maxAge := c.MaxAge
	if maxAge == 0 {
		maxAge = defaultMaxAge
	}
	kept := c.readCache()
	if kept != nil {
		// A time in the future is that of a clock that was wrong.
		if age := now().Sub(kept.Fetched); age >= 0 && age < maxAge {
			return kept, nil
		}
	}
	fetched, err := readCatalogue(ctx, c.Proxy, BasePath(c.Module))
	if err != nil {
		if kept != nil && ctx.Err() == nil {
			return kept, nil
		}
		return nil, err
	}
	s := &snapshot{Module: BasePath(c.Module), Fetched: now().UTC(), Catalogue: fetched}
	return s, c.writeCache(s)
}

func (c *Checker) cacheFile() string {
	return filepath.Join(c.CacheDir, strings.ReplaceAll(BasePath(c.Module), "/", "_")+".json")
}

// readCache is what the cache holds, or nil: a cache that can't be read is as good as none.
func (c *Checker) readCache() *snapshot {
	if c.CacheDir == "" {
		return nil
	}
	data, err := os.ReadFile(c.cacheFile())
	if err != nil {
		return nil
	}
	var s snapshot
	if json.Unmarshal(data, &s) != nil || s.Module != BasePath(c.Module) || s.Catalogue == nil {
		return nil
	}
	return &s
}

func (c *Checker) writeCache(s *snapshot) error {
	if c.CacheDir == "" {
		return nil
	}
	data, err := encodeJSON(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.CacheDir, 0o700); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	if err := writeFile(c.cacheFile(), data, 0o600); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	return nil
}

// OwnVersion is the module path and the version of a project in the program that runs, as a dependency of it or as
// the program itself. base is the project's module path without /vN. [ErrNotReleased] tells of a replaced module, and of
// a program that was built in a checkout of its own: go names those by the commit, or not at all.
func OwnVersion(info *debug.BuildInfo, base string) (path, version string, err error) {
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if BasePath(m.Path) != base {
			continue
		}
		built := m == &info.Main && (module.IsPseudoVersion(m.Version) || strings.Contains(m.Version, "+dirty"))
		if built || m.Replace != nil || m.Version == "" || m.Version == "(devel)" {
			return m.Path, m.Version, ErrNotReleased
		}
		return m.Path, m.Version, nil
	}
	return "", "", fmt.Errorf("module %s is not in this program: %w", base, ErrNotReleased)
}
