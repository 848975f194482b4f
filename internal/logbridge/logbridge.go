// Package logbridge gives mautrix, which logs through zerolog, a logger that writes to log/slog.
package logbridge

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// withheld are fields that never go into a log, since they hold what users write.
var withheld = []string{"req_body", "response_body"}

// New is a zerolog logger whose lines go to handler at level Debug, whatever their own level: what a failed request
// means is for its caller to judge. Bodies of requests are left out. Where the handler does not want Debug, the lines
// are not even made.
func New(handler slog.Handler) zerolog.Logger {
	if !handler.Enabled(context.Background(), slog.LevelDebug) {
		return zerolog.Nop()
	}
	return zerolog.New(writer{handler})
}

type writer struct{ handler slog.Handler }

// Write takes one line as zerolog made it, a JSON object.
func (w writer) Write(line []byte) (int, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return 0, err
	}
	message, _ := fields[zerolog.MessageFieldName].(string)
	delete(fields, zerolog.MessageFieldName)
	delete(fields, zerolog.LevelFieldName)
	delete(fields, zerolog.TimestampFieldName)
	record := slog.NewRecord(time.Now(), slog.LevelDebug, message, 0)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(withheld, name) {
			record.AddAttrs(slog.Any(name, fields[name]))
		}
	}
	return len(line), w.handler.Handle(context.Background(), record)
}
