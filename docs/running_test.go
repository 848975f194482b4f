package docs_test

import (
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/niobot/niobot"
)

// What follows is shown in running.md.

func newLogger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// That was shown.

func TestLoggerLogsFromInfo(t *testing.T) {
	logger := newLogger()
	if logger.Enabled(t.Context(), slog.LevelDebug) || !logger.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("it logs from another level")
	}
}

// What stops the bot waits longer for it than the bot does for its handlers.
func TestServicesOutwaitTheDrain(t *testing.T) {
	waits := regexp.MustCompile(`(?:TimeoutStopSec=|--stop-timeout )(\d+)`)
	found := waits.FindAllStringSubmatch(documents(t)["running.md"], -1)
	if len(found) != 2 {
		t.Fatalf("found %v", found)
	}
	for _, wait := range found {
		seconds, err := strconv.Atoi(wait[1])
		if err != nil || time.Duration(seconds)*time.Second <= niobot.DefaultDrain {
			t.Errorf("%s is too short for %s", wait[0], niobot.DefaultDrain)
		}
	}
}
