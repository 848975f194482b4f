package release_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/niobot/niobot/release"
)

// memory is a module proxy of files in memory, which counts its requests.
type memory struct {
	mu    sync.Mutex
	files map[string]string
	asked []string
	err   error
}

func (m *memory) Get(_ context.Context, path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, path)
	if m.err != nil {
		return nil, m.err
	}
	text, ok := m.files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// urgentProxy is the proxy after the policy's example: v4.7.14 and v5.6.1 are out. v2 is ESR. The example has no v3.
func urgentProxy() *memory {
	return &memory{files: map[string]string{
		"example.org/m/@v/list":          "v0.9.0\nv1.0.0\n",
		"example.org/m/@v/v1.0.0.mod":    "module example.org/m\n",
		"example.org/m/v2/@v/list":       "v2.0.0\n",
		"example.org/m/v2/@v/v2.0.0.mod": "// ESR: for those who wait.\nmodule example.org/m/v2\n",
		"example.org/m/v4/@v/list":       "v4.7.14\nv4.6.3\nv4.7.13\nv4.8.0-rc.1\nv4.0.0+incompatible\n",
		"example.org/m/v4/@v/v4.7.14.mod": "module example.org/m/v4\n" +
			"retract [v4.0.0, v4.7.13] // [URGENT] GO-2026-0001: It leaks; upgrade to v4.7.14\n",
		"example.org/m/v5/@v/list": "v5.2.7\nv5.6.0\nv5.6.1\nv5.6.2\nv5.5.5\n",
		"example.org/m/v5/@v/v5.6.2.mod": "module example.org/m/v5\nretract v5.6.2 // published by accident\n" +
			"retract v5.6.0 // [URGENT] GO-2026-0001: It leaks\nretract v5.5.5\n",
	}}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		version string
		want    string
		act     bool
		urgent  bool
	}{
		{"v5.6.1", "v5.6.1 is supported.", false, false},
		{"v5.2.7", "v5.2.7 is supported. v5.6.1 is out.", false, false},
		{"v5.6.0", "v5.6.0 is supported, and retracted: [URGENT] GO-2026-0001: It leaks. Upgrade to v5.6.1 now.", true,
			true},
		{"v5.6.2", "v5.6.2 is supported, and retracted: published by accident.", true, false},
		{"v5.5.5", "v5.5.5 is supported, and retracted: no reason is given. Upgrade to v5.6.1 now.", true, false},
		{"v4.6.3", "v4.6.3 is supported, and retracted: " +
			"[URGENT] GO-2026-0001: It leaks; upgrade to v4.7.14. Upgrade to v4.7.14 now.", true, true},
		{"v2.0.0", "v2.0.0 is ESR until v7.", false, false},
		{"v1.0.0", "v1.0.0 is unsupported since v4.0.0+. Upgrade to v5.6.1 now.", true, false},
		{"v5.6.2-0.20260102030405-abcdefabcdef", "v5.6.2-0.20260102030405-abcdefabcdef is supported.", false, false},
	} {
		t.Run(tt.version, func(t *testing.T) {
			tt.want = strings.Replace(tt.want, "v4.0.0+", "v4.6.3", 1)
			c := &release.Checker{Module: "example.org/m/v5", Proxy: urgentProxy()}
			got, err := c.Check(t.Context(), tt.version)
			if err != nil || got.String() != tt.want || got.NeedsAction() != tt.act || got.Urgent != tt.urgent {
				t.Errorf("got %q, action %t, urgent %t, %v\nwant %q, action %t, urgent %t",
					got, got.NeedsAction(), got.Urgent, err, tt.want, tt.act, tt.urgent)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	c := &release.Checker{Module: "example.org/m", Proxy: urgentProxy()}
	for version, want := range map[string]string{
		"(devel)": `"(devel)" is no version`, "v3.0.0": "there is no v3.0.0, nor any other v3",
	} {
		if got, err := c.Check(t.Context(), version); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, %v", version, got, err)
		}
	}
	empty := &release.Checker{Module: "example.org/m", Proxy: &memory{}}
	if _, err := empty.Check(t.Context(), "v1.0.0"); !errors.Is(err, release.ErrNoVersion) {
		t.Errorf("an empty proxy: %v", err)
	}
	down := &release.Checker{Module: "example.org/m", Proxy: &memory{err: errors.New("the line is cut")}}
	if _, err := down.Check(t.Context(), "v1.0.0"); err == nil || !strings.Contains(err.Error(), "the line is cut") {
		t.Errorf("a proxy that is down: %v", err)
	}
}

func TestCheckKeepsTheAnswer(t *testing.T) {
	proxy := urgentProxy()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := &release.Checker{Module: "example.org/m", Proxy: proxy, CacheDir: filepath.Join(t.TempDir(), "a", "b"),
		Now: func() time.Time { return now }}
	check := func() release.Report {
		t.Helper()
		got, err := c.Check(t.Context(), "v5.6.0")
		if err != nil || !got.Urgent {
			t.Fatalf("got %v, %v", got, err)
		}
		return got
	}
	asked := func() int { n := len(proxy.asked); proxy.asked = nil; return n }

	check()
	if asked() == 0 {
		t.Fatal("the proxy was not asked")
	}
	now = now.Add(19 * time.Hour)
	check()
	if n := asked(); n != 0 {
		t.Errorf("asked %d times for what was just told", n)
	}
	now = now.Add(2 * time.Hour)
	check()
	if asked() == 0 {
		t.Error("an answer of yesterday is still used")
	}
	now = now.Add(48 * time.Hour)
	proxy.err = errors.New("the line is cut")
	if got := check(); got.AsOf != now.Add(-48*time.Hour) {
		t.Errorf("as of %s", got.AsOf)
	}
	proxy.err = nil
	now = now.Add(-200 * time.Hour)
	asked()
	check()
	if asked() == 0 {
		t.Error("an answer from the future is used")
	}

	files, err := filepath.Glob(filepath.Join(c.CacheDir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	for path, want := range map[string]fs.FileMode{files[0]: 0o600, c.CacheDir: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	for _, broken := range []string{"", "{", "{}",
		`{"module":"example.org/other","catalogue":{"versions":["v1.0.0"]}}`} {
		if err := os.WriteFile(files[0], []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		check()
		if asked() == 0 {
			t.Errorf("the cache %q is used", broken)
		}
	}
}

// Whatever a user has, the proxy is asked the same, and nothing but paths is sent.
func TestCheckSendsNothing(t *testing.T) {
	files := urgentProxy().files
	var requests [][]string
	for _, version := range []string{"v5.6.0", "v2.0.0", "v5.6.2-0.20260102030405-abcdefabcdef"} {
		var seen []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method+" "+r.URL.String())
			for name := range r.Header {
				if name != "Accept-Encoding" {
					t.Errorf("the header %s: %q is sent", name, r.Header[name])
				}
			}
			if r.ContentLength != 0 {
				t.Errorf("%d bytes are sent", r.ContentLength)
			}
			text, ok := files[strings.TrimPrefix(r.URL.Path, "/proxy/")]
			if !ok {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte(text))
		}))
		proxy, err := release.ProxyOf(server.URL + "/proxy,direct")
		if err != nil {
			t.Fatal(err)
		}
		c := &release.Checker{Module: "example.org/m", Proxy: proxy}
		if _, err := c.Check(t.Context(), version); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		server.Close()
		requests = append(requests, seen)
	}
	if len(requests[0]) < 8 || !reflect.DeepEqual(requests[0], requests[1]) ||
		!reflect.DeepEqual(requests[0], requests[2]) {
		t.Errorf("requests differ: %q", requests)
	}
}

func TestProxyOf(t *testing.T) {
	for _, value := range []string{"off", "direct", "off,https://example.org", "direct|https://example.org", "banana",
		"ssh://example.org"} {
		if got, err := release.ProxyOf(value); !errors.Is(err, release.ErrNoProxy) {
			t.Errorf("%s: %v, %v, want ErrNoProxy", value, got, err)
		}
	}
	for _, value := range []string{"", "https://example.org", "file:///tmp/x,off", "http://localhost:3000|direct"} {
		if _, err := release.ProxyOf(value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestProxyInAFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range urgentProxy().files {
		path := filepath.Join(dir, "cache", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("v1.0.0"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy, err := release.ProxyOf("file://" + filepath.ToSlash(dir) + "/cache")
	if err != nil {
		t.Fatal(err)
	}
	h, err := release.ProxyHistory(t.Context(), proxy, "example.org/m")
	if err != nil || len(h.Versions()) != 12 {
		t.Errorf("%v, %v", h, err)
	}
	if text, err := proxy.Get(t.Context(), "../secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path leads out of the proxy's folder: %q, %v", text, err)
	}
}

func TestProxyWithTooMuchOrTrouble(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/trouble/") {
			http.Error(w, "later", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(strings.Repeat("v1.0.0\n", 1<<20)))
	}))
	defer server.Close()
	for path, want := range map[string]string{"/trouble": "502 Bad Gateway", "": "more than 4194304 bytes"} {
		proxy, err := release.ProxyOf(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := release.ProxyHistory(t.Context(), proxy, "example.org/m"); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestOwnVersion(t *testing.T) {
	info := func(main debug.Module, deps ...*debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: main, Deps: deps}
	}
	const pseudo = "v1.0.1-0.20260102030405-abcdefabcdef"
	user := debug.Module{Path: "example.org/bot", Version: "v0.3.0"}
	for _, tt := range []struct {
		name          string
		info          *debug.BuildInfo
		path, version string
		released      bool
	}{
		{"a dependency", info(user, &debug.Module{Path: "example.org/x"},
			&debug.Module{Path: "example.org/m/v2", Version: "v2.1.0"}), "example.org/m/v2", "v2.1.0", true},
		{"the program itself", info(debug.Module{Path: "example.org/m", Version: "v1.1.0"}), "example.org/m", "v1.1.0",
			true},
		{"a checkout", info(debug.Module{Path: "example.org/m", Version: "(devel)"}), "example.org/m", "(devel)",
			false},
		{"a changed checkout", info(debug.Module{Path: "example.org/m", Version: "v1.1.0+dirty"}), "example.org/m",
			"v1.1.0+dirty", false},
		{"a commit of a checkout", info(debug.Module{Path: "example.org/m", Version: pseudo}), "example.org/m", pseudo, false},
		{"a commit as a dependency", info(user, &debug.Module{Path: "example.org/m", Version: pseudo}),
			"example.org/m", pseudo, true},
		{"a replaced one", info(user, &debug.Module{Path: "example.org/m", Version: "v1.0.0",
			Replace: &debug.Module{Path: "../m"}}), "example.org/m", "v1.0.0", false},
		{"none", info(user), "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, version, err := release.OwnVersion(tt.info, "example.org/m")
			if path != tt.path || version != tt.version || (err == nil) != tt.released || err != nil &&
				!errors.Is(err, release.ErrNotReleased) {
				t.Errorf("got %q %q %v", path, version, err)
			}
		})
	}
}
