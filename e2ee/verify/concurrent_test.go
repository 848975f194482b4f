package verify_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/niobot/niobot/e2ee/verify"
)

// TestConcurrentUse has each side take in its messages, confirm, look and expire from goroutines of their own.
func TestConcurrentUse(t *testing.T) {
	for seed := range uint64(50) {
		p := newPair(t, seed, false)
		for _, d := range p.devices {
			d.bell = make(chan message, 100)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var group sync.WaitGroup
		ended := make(chan struct{}, 2)
		for _, d := range []*device{p.bot, p.other} {
			d.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
				switch state {
				case verify.StateComparing:
					group.Go(func() {
						if err := s.Confirm(ctx); err != nil {
							t.Errorf("%s confirms: %v", d.id, err)
						}
					})
				case verify.StateDone, verify.StateCancelled:
					ended <- struct{}{}
				}
			}
			group.Go(func() {
				for {
					select {
					case m := <-d.bell:
						group.Go(func() { look(t, d) })
						if err := d.engine.Handle(t.Context(), m.evt); err != nil {
							t.Errorf("%s: %v", d.id, err)
						}
					case <-ctx.Done():
						return
					}
				}
			})
		}
		request(t, p.bot, p.other, seed%2 == 0)
		for range 2 {
			select {
			case <-ended:
			case <-ctx.Done():
				t.Fatalf("it hangs at %v and %v", p.bot.states, p.other.states)
			}
		}
		cancel()
		group.Wait()
		ofBot, ofOther := p.proofs()
		wantProof(t, p.bot, ofOther)
		wantProof(t, p.other, ofBot)
	}
}

// look reads all there is to read of a device's sessions.
func look(t *testing.T, d *device) {
	d.engine.Expire(t.Context())
	for _, s := range d.engine.Sessions() {
		_, _, _, _ = s.State(), s.Emoji(), s.Err(), s.QR()
		if s.Peer().User == d.user {
			t.Errorf("%s verifies itself", d.user)
		}
	}
}

// TestExpireWhileRequesting finds no moment in which a new session seems to be overdue.
func TestExpireWhileRequesting(t *testing.T) {
	p := newPair(t, 1, false)
	stop := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	defer close(stop)
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				p.bot.engine.Expire(t.Context())
			}
		}
	})
	for range 500 {
		s := request(t, p.bot, p.other, false)
		if s.State() != verify.StateRequested {
			t.Fatalf("the session is %v: %v", s.State(), s.Err())
		}
		if err := s.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
