package cli

import (
	"runtime/debug"
	"testing"
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
