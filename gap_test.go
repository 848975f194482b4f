package niobot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/niobot/niobot/internal/fakehs"
)

func TestGapIsFilledThoughASyncHasBroughtSomeOfIt(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		h.down()
		var want []string
		for i := range 121 {
			want = append(want, fmt.Sprint("echo ", i))
		}
		for i := range 120 {
			h.alice.say(fmt.Sprint("!echo ", i))
		}
		h.fail(fakehs.Fault{Path: "/messages", Status: 502, Count: 2})
		h.fail(fakehs.Fault{Path: "/sync", Replay: 60, Skip: 1, Count: 1})
		h.up(s)
		h.alice.say("!echo 120")
		h.pass(time.Minute)
		got := h.said(h.room)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d answers, want %d", len(got), len(want))
		}
	})
}
