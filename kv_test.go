package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/memory"
)

// withAndWithoutStore runs a test on a bot that keeps nothing and on one with a store.
func withAndWithoutStore(t *testing.T, s setting, f func(h *house)) {
	t.Helper()
	t.Run("without store", func(t *testing.T) { inHouse(t, s, f) })
	t.Run("with store", func(t *testing.T) { inHouse(t, kept(s), f) })
}

// listed is a KV as text.
func (h *house) listed(kv *niobot.KV, prefix string) string {
	h.t.Helper()
	var parts []string
	for record, err := range kv.List(h.t.Context(), prefix) {
		h.must(err)
		parts = append(parts, record.Key+"="+string(record.Value))
	}
	return strings.Join(parts, " ")
}

func (h *house) wantListed(kv *niobot.KV, want string) {
	h.t.Helper()
	if got := h.listed(kv, ""); got != want {
		h.t.Errorf("the table holds %q, want %q", got, want)
	}
}

func TestKV(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		ctx := h.t.Context()
		kv, other := h.bot.KV("a"), h.bot.KV("ab")
		for _, key := range []string{"one", "two", "o", "öl"} {
			h.must(kv.Put(ctx, key, []byte(strings.ToUpper(key))))
		}
		h.must(kv.Put(ctx, "empty", nil))
		h.must(other.Put(ctx, "one", []byte("other")))
		h.wantListed(kv, "empty= o=O one=ONE two=TWO öl=ÖL")
		h.wantListed(other, "one=other")
		if got := h.listed(kv, "o"); got != "o=O one=ONE" {
			t.Errorf("what begins with o is %q", got)
		}
		if value, ok, err := kv.Get(ctx, "empty"); err != nil || !ok || len(value) != 0 {
			t.Errorf("an empty value is %q, %t, %v", value, ok, err)
		}
		h.must(kv.Delete(ctx, "two"))
		h.must(kv.Delete(ctx, "two"))
		if _, ok, err := kv.Get(ctx, "two"); err != nil || ok {
			t.Errorf("a deleted key: %t, %v", ok, err)
		}
		h.pass(time.Second)
		h.must(kv.Put(ctx, "one", []byte("1")))
		h.wantListed(kv, "empty= o=O one=1 öl=ÖL")
		for range kv.List(ctx, "") {
			break
		}
	})
}

func TestKVSwap(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		kv := h.bot.KV("a")
		swap := func(old, value []byte, want bool) {
			t.Helper()
			if got, err := kv.CompareAndSwap(h.t.Context(), "k", old, value); err != nil || got != want {
				t.Errorf("%q to %q: %t, %v", old, value, got, err)
			}
		}
		swap([]byte("x"), []byte("y"), false)
		swap(nil, []byte("x"), true)
		swap(nil, []byte("z"), false)
		h.pass(time.Second)
		swap([]byte("x"), []byte{}, true)
		swap([]byte{}, []byte("y"), true)
		swap([]byte("y"), nil, true)
		h.wantListed(kv, "")
	})
}

func TestKVUpdateLosesNothing(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		count := niobot.KVOf[int](h.bot.KV("count"))
		var work sync.WaitGroup
		for range 20 {
			work.Go(func() {
				_, err := count.Update(h.t.Context(), "n", func(n int, _ bool) (int, error) { return n + 1, nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if n, ok, err := count.Get(h.t.Context(), "n"); n != 20 || !ok || err != nil {
			t.Errorf("the count is %d, %t, %v", n, ok, err)
		}
		enough := errors.New("enough")
		if _, err := count.Update(h.t.Context(), "n", func(int, bool) (int, error) { return 0, enough }); !errors.Is(err, enough) {
			t.Errorf("the update returns %v", err)
		}
	})
}

func TestKVExpires(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		ctx, kv := h.t.Context(), h.bot.KV("a")
		h.must(kv.Put(ctx, "short", []byte("1"), niobot.Expire(time.Minute)))
		h.must(kv.Put(ctx, "long", []byte("2"), niobot.Expire(3*time.Hour)))
		h.must(kv.Put(ctx, "now", []byte("3"), niobot.Expire(0)))
		h.wantListed(kv, "long=2 short=1")
		h.pass(time.Minute)
		h.wantListed(kv, "long=2")
		if _, ok, err := kv.Get(ctx, "short"); ok || err != nil {
			t.Errorf("a value that has gone: %t, %v", ok, err)
		}
		if swapped, err := kv.CompareAndSwap(ctx, "short", nil, []byte("4")); !swapped || err != nil {
			t.Errorf("in its place: %t, %v", swapped, err)
		}
		h.pass(4 * time.Hour)
		h.wantListed(kv, "short=4")
	})
}

func TestExpiredValuesAreRemovedFromTheStore(t *testing.T) {
	store := memory.New()
	inHouse(t, setting{opts: []niobot.Option{niobot.WithStore(store)}}, func(h *house) {
		h.must(h.bot.KV("a").Put(h.t.Context(), "k", []byte("v"), niobot.Expire(time.Minute)))
		h.pass(2 * time.Hour)
		for record, err := range store.Scan(h.t.Context(), "kv", "") {
			t.Errorf("the store holds %q, %v", record.Key, err)
		}
	})
}

func TestKVBounds(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		ctx, kv := h.t.Context(), h.bot.KV("a")
		for name, err := range map[string]error{
			"empty key":  kv.Put(ctx, "", nil),
			"long key":   kv.Put(ctx, strings.Repeat("k", niobot.MaxKVKey+1), nil),
			"long value": kv.Put(ctx, "k", make([]byte, niobot.MaxKVValue+1)),
			"no key":     kv.Delete(ctx, ""),
			"no JSON":    niobot.KVOf[func()](kv).Put(ctx, "k", nil),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		h.must(kv.Put(ctx, strings.Repeat("k", niobot.MaxKVKey), make([]byte, niobot.MaxKVValue)))
		h.must(kv.Put(ctx, "text", []byte("no number")))
		if _, _, err := niobot.KVOf[int](kv).Get(ctx, "text"); err == nil {
			t.Error("a text is read as a number")
		}
		for _, name := range []string{"", "a\x00b", strings.Repeat("n", niobot.MaxKVName+1)} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("the name %.20q is taken", name)
					}
				}()
				h.bot.KV(name)
			}()
		}
	})
}

func TestKVBeforeRun(t *testing.T) {
	kv := newBot(t, niobot.WithStore(memory.New())).KV("a")
	if err := kv.Put(t.Context(), "k", nil); !errors.Is(err, niobot.ErrNotOpen) {
		t.Errorf("Put returns %v", err)
	}
	if _, _, err := kv.Get(t.Context(), "k"); !errors.Is(err, niobot.ErrNotOpen) {
		t.Errorf("Get returns %v", err)
	}
	for _, err := range kv.List(t.Context(), "") {
		if !errors.Is(err, niobot.ErrNotOpen) {
			t.Errorf("List gives %v", err)
		}
	}
	kv = newBot(t).KV("a") // Without a store there is nothing to open.
	if err := kv.Put(t.Context(), "k", nil); err != nil {
		t.Errorf("without a store, Put returns %v", err)
	}
}

func TestKVOutlivesTheBot(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		h.must(h.bot.KV("a").Put(h.t.Context(), "k", []byte("v")))
		h.down()
		h.up(s)
		h.wantListed(h.bot.KV("a"), "k=v")
	})
}

type tallyArgs struct {
	How string `arg:"how"`
}

// tallies is a command that counts in a run and fails, panics or waits where it is told to.
func tallies(waiting chan<- struct{}) setting {
	return setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{niobot.NewCommand("tally", func(ctx context.Context, c *niobot.Context, a tallyArgs) error {
			count := niobot.KVOf[int](c.KV("count"))
			if _, err := count.Update(ctx, "n", func(n int, _ bool) (int, error) { return n + 1, nil }); err != nil {
				return err
			}
			own, _, err := count.Get(ctx, "n")
			if err != nil {
				return err
			}
			var seen []string
			for item, err := range count.List(ctx, "") {
				if err != nil {
					return err
				}
				seen = append(seen, fmt.Sprintf("%s=%d", item.Key, item.Value))
			}
			others, _, err := niobot.KVOf[int](c.Bot().KV("count")).Get(ctx, "n")
			if err != nil {
				return err
			}
			switch a.How {
			case "fail":
				return &niobot.CheckError{Reason: "no"}
			case "panic":
				panic("no")
			case "wait":
				waiting <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}
			return c.Reply(ctx, "%d own, %d others, %s", own, others, strings.Join(seen, " "))
		})},
	}
}

func TestRunKeepsItsChangesUntilItEnds(t *testing.T) {
	withAndWithoutStore(t, tallies(nil), func(h *house) {
		h.alice.say("!tally well")
		h.wantSaid("1 own, 0 others, n=1")
		h.alice.say("!tally fail")
		h.alice.say("!tally panic")
		h.settle()
		h.alice.say("!tally well")
		h.settle()
		got := h.said(h.room)
		if !slices.Contains(got, "2 own, 1 others, n=2") {
			t.Errorf("the bot said %q", got)
		}
	})
}

// A run that is repeated counts once.
func TestRepeatedRunBeginsWithWhatThereWas(t *testing.T) {
	waiting := make(chan struct{}, 2)
	s := kept(tallies(waiting))
	inHouse(t, s, func(h *house) {
		h.alice.say("!tally wait")
		h.settle()
		h.down()
		h.up(s)
		h.down()
		s.commands[0] = niobot.NewCommand("tally", func(ctx context.Context, c *niobot.Context, _ tallyArgs) error {
			n, err := niobot.KVOf[int](c.KV("count")).Update(ctx, "n", func(n int, _ bool) (int, error) { return n + 1, nil })
			if err != nil {
				return err
			}
			return c.Reply(ctx, "%d", n)
		})
		h.up(s)
		h.wantSaid("1")
		if len(waiting) != 2 {
			t.Errorf("it ran %d times before", len(waiting))
		}
		h.pass(time.Second)
		h.wantListed(h.bot.KV("count"), "n=1")
		h.down()
		h.up(s)
		h.wantListed(h.bot.KV("count"), "n=1")
	})
}

type notes struct{ kv *niobot.KV }

func (*notes) Name() string { return "notes" }

func (n *notes) Setup(_ context.Context, s *niobot.Scope) error {
	n.kv = s.KV()
	return nil
}

func (*notes) Commands() []*niobot.Command { return nil }

func TestModuleHasItsOwnKV(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		n := new(notes)
		h.must(h.bot.Mount(h.t.Context(), n))
		h.must(n.kv.Put(h.t.Context(), "k", []byte("v")))
		h.wantListed(h.bot.KV("notes"), "")
		h.must(h.bot.Unmount(h.t.Context(), n))
		h.must(h.bot.Mount(h.t.Context(), n))
		h.wantListed(n.kv, "k=v")
	})
}

func ExampleKVOf() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"},
	}))
	ctx := context.Background()
	scores := niobot.KVOf[int](bot.KV("scores"))
	if err := scores.Put(ctx, "alice", 3); err != nil {
		fmt.Println(err)
	}
	n, err := scores.Update(ctx, "alice", func(n int, _ bool) (int, error) { return n + 1, nil })
	fmt.Println(n, err)
	for item, err := range scores.List(ctx, "a") {
		fmt.Println(item.Key, item.Value, err)
	}
	// Output:
	// 4 <nil>
	// alice 4 <nil>
}
