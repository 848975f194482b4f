package logbridge_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/logbridge"
)

func TestLinesArriveAtDebugWithTheirFields(t *testing.T) {
	var out bytes.Buffer
	log := logbridge.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	log.Err(errors.New("no route")).Str("method", "PUT").Msg("Request failed")
	for _, want := range []string{"level=DEBUG", `msg="Request failed"`, "method=PUT", `error="no route"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("log line %q lacks %s", out.String(), want)
		}
	}
}

func TestBodiesAreWithheld(t *testing.T) {
	var out bytes.Buffer
	log := logbridge.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	log.Error().RawJSON("req_body", []byte(`{"body":"a secret"}`)).Msg("Request failed")
	if strings.Contains(out.String(), "secret") {
		t.Errorf("log line holds the body: %s", out.String())
	}
}

func TestNothingIsWrittenAboveDebug(t *testing.T) {
	var out bytes.Buffer
	log := logbridge.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	log.Error().Msg("Request failed")
	if out.Len() > 0 {
		t.Errorf("got %q, want nothing", out.String())
	}
}
