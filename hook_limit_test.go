package niobot

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestHookThatTakesLongIsLeftToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := hooks{log: slog.New(slog.DiscardHandler)}
		var list hookList[func(context.Context)]
		addHook(&list, "test", func(context.Context) { <-time.After(time.Minute) }, false)
		told := false
		addHook(&list, "test", func(ctx context.Context) { told = ctx.Err() == nil }, false)
		begin := time.Now()
		tell(t.Context(), &hs, "test", &list, func(ctx context.Context, f func(context.Context)) { f(ctx) })
		if waited := time.Since(begin); waited != hookLimit || !told {
			t.Errorf("waited %s; the next hook was told: %t", waited, told)
		}
		if hs.wait(t.Context()) != nil || time.Since(begin) != time.Minute {
			t.Error("nobody waits for the hook's end")
		}
	})
}
