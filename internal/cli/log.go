package cli

import (
	"flag"
	"io"
	"log/slog"
)

// logLevel adds the flag --log-level.
func logLevel(flags *flag.FlagSet) *slog.Level {
	level := new(slog.Level)
	flags.TextVar(level, "log-level", slog.LevelWarn, "")
	return level
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
