package cli

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/niobot/niobot/release/notice"
)

func TestVersionText(t *testing.T) {
	tests := []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"bare", debug.BuildInfo{GoVersion: "go1.26.0"}, "niobot (devel)\ngo1.26.0\n"},
		{"released", debug.BuildInfo{
			GoVersion: "go1.26.0",
			Main:      debug.Module{Version: "v1.2.3"},
			Settings:  []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}},
		}, "niobot v1.2.3\ngo1.26.0 linux/arm64\n"},
		{"from a checkout", debug.BuildInfo{
			GoVersion: "go1.26.0",
			Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-31T00:00:00Z"},
				{Key: "vcs.modified", Value: "true"},
			},
		}, "niobot (devel)\ncommit abc of 2026-01-31T00:00:00Z, with changes\ngo1.26.0\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := versionText(&tt.info); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSupportText(t *testing.T) {
	proxy := t.TempDir()
	for name, text := range map[string]string{
		"list":       "v1.0.0\nv1.0.1\n",
		"v1.0.1.mod": "module " + notice.Module + "\nretract v1.0.0 // [URGENT] GO-2026-0001: It leaks\n",
	} {
		path := filepath.Join(proxy, filepath.FromSlash(notice.Module), "@v", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	url := "file://" + filepath.ToSlash(proxy)
	for _, tt := range []struct{ name, version, goproxy, want string }{
		{"up to date", "v1.0.1", url, "v1.0.1 is supported.\n"},
		{"urgent", "v1.0.0", url, "v1.0.0 is supported, and retracted: [URGENT] GO-2026-0001: It leaks. Upgrade to v1.0.1 now.\n"},
		{"a checkout", "(devel)", url, ""},
		{"no proxy", "v1.0.0", "off", "whether it is supported is not known: no module proxy can be asked: GOPROXY is off\n"},
		{"an empty proxy", "v1.0.0", url + "/nothing", "whether it is supported is not known: no version was released yet\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info := &debug.BuildInfo{Main: debug.Module{Path: notice.Module, Version: tt.version}}
			if got := supportText(t.Context(), info, tt.goproxy, t.TempDir()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVersionOffline(t *testing.T) {
	var out strings.Builder
	code := Main(t.Context(), Env{Args: []string{"version", "--offline"}, Stdout: &out, Getenv: func(string) string {
		t.Error("the environment was looked at")
		return ""
	}})
	if code != 0 || !strings.HasPrefix(out.String(), "niobot ") {
		t.Errorf("exit code %d, %q", code, out.String())
	}
}
