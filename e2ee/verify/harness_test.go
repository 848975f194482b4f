package verify_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

const (
	alice = id.UserID("@alice:example.org")
	robot = id.UserID("@robot:example.org")
	room  = id.RoomID("!room:example.org")
)

// ed makes a key that is always the same for a name.
func ed(name string) id.Ed25519 {
	h := fnv.New64a()
	h.Write([]byte(name))
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, fmt.Sprintf("%016x", h.Sum64()))
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return id.Ed25519(base64.RawStdEncoding.EncodeToString(public))
}

// world is a homeserver, as far as verification sees it: it has keys, and delivers messages in an order of its own.
type world struct {
	t       *testing.T
	rand    *rand.Rand
	mu      sync.Mutex
	devices []*device
	masters map[id.UserID]id.Ed25519
	now     time.Time
	events  int
	sent    []message // All that ever was sent
	tamper  func(m *message)
}

// message is on its way to a device.
type message struct {
	to  *device
	evt verify.Event
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t:       t,
		rand:    rand.New(rand.NewPCG(seed, 1)),
		masters: map[id.UserID]id.Ed25519{alice: ed("alice master"), robot: ed("robot master")},
		now:     time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
}

// device is one with an engine; it implements verify's interfaces.
type device struct {
	w         *world
	user      id.UserID
	id        id.DeviceID
	key       id.Ed25519
	trusting  bool // Whether it trusts its user's master key
	engine    *verify.Engine
	queue     []message
	proofs    []verify.Proof
	states    []verify.State
	sessions  []*verify.Session
	hook      func(ctx context.Context, s *verify.Session, state verify.State)
	journal   []verify.Ref
	sendErr   error
	trustErr  error
	keysErr   error
	sends     int          // How often it has sent something
	bell      chan message // Gets the messages in place of the queue, if there is one
	holdReply func()       // Called after a room event was put on its way, before its id is given back
}

func (w *world) device(user id.UserID, name id.DeviceID, policy verify.Policy) *device {
	w.t.Helper()
	d := &device{w: w, user: user, id: name, key: ed(string(name)), trusting: true}
	engine, err := verify.New(verify.Config{
		User: user, Device: name, Transport: d, Keys: d, Policy: policy, Journal: d, Hook: verify.HookFunc(d.changed),
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.now
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	d.engine = engine
	w.devices = append(w.devices, d)
	return d
}

func (d *device) changed(ctx context.Context, s *verify.Session, state verify.State) {
	d.w.mu.Lock()
	d.states = append(d.states, state)
	if !slices.Contains(d.sessions, s) {
		d.sessions = append(d.sessions, s)
	}
	d.w.mu.Unlock()
	if d.hook != nil {
		d.hook(ctx, s, state)
	}
}

func (d *device) session(t *testing.T) *verify.Session {
	t.Helper()
	if len(d.sessions) != 1 {
		t.Fatalf("%s has %d sessions, want 1", d.id, len(d.sessions))
	}
	return d.sessions[0]
}

func (d *device) ToDevice(
	_ context.Context, user id.UserID, to id.DeviceID, typ event.Type, content json.RawMessage,
) error {
	if d.sendErr != nil {
		return d.sendErr
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.sends++
	for _, other := range d.w.devices {
		if other.user == user && (to == "*" || other.id == to) {
			d.w.deliver(other, verify.Event{Type: typ, Sender: d.user, Content: slices.Clone(content)})
		}
	}
	return nil
}

func (d *device) InRoom(
	_ context.Context, in id.RoomID, typ event.Type, content json.RawMessage,
) (id.EventID, error) {
	if d.sendErr != nil {
		return "", d.sendErr
	}
	d.w.mu.Lock()
	d.w.events++
	eventID := id.EventID(fmt.Sprintf("$event%d", d.w.events))
	for _, other := range d.w.devices {
		d.w.deliver(other, verify.Event{
			Type: typ, Sender: d.user, Room: in, ID: eventID, Time: d.w.now, Content: slices.Clone(content),
		})
	}
	d.w.mu.Unlock()
	if d.holdReply != nil {
		d.holdReply()
	}
	return eventID, nil
}

func (w *world) deliver(to *device, evt verify.Event) {
	m := message{to, evt}
	if w.tamper != nil {
		w.tamper(&m)
	}
	w.sent = append(w.sent, m)
	if to.bell != nil {
		to.bell <- m
		return
	}
	to.queue = append(to.queue, m)
}

func (d *device) Own(context.Context) (verify.OwnKeys, error) {
	return verify.OwnKeys{Device: d.key, Master: d.w.masters[d.user], MasterTrusted: d.trusting}, d.keysErr
}

func (d *device) Peer(_ context.Context, user id.UserID, name id.DeviceID) (verify.PeerKeys, error) {
	for _, other := range d.w.devices {
		if other.user == user && other.id == name {
			return verify.PeerKeys{Device: other.key, Master: d.w.masters[user]}, d.keysErr
		}
	}
	return verify.PeerKeys{}, verify.ErrNoDevice
}

func (d *device) Devices(_ context.Context, user id.UserID) ([]id.DeviceID, error) {
	var list []id.DeviceID
	for _, other := range d.w.devices {
		if other.user == user {
			list = append(list, other.id)
		}
	}
	return list, d.keysErr
}

func (d *device) Trust(_ context.Context, proof verify.Proof) error {
	if d.trustErr != nil {
		return d.trustErr
	}
	d.proofs = append(d.proofs, proof)
	return nil
}

func (d *device) Keep(_ context.Context, open []verify.Ref) error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.journal = open
	return nil
}

// step delivers one message, to a device by chance; each gets those of its queue in order. It says whether there was
// one.
func (w *world) step() bool {
	w.mu.Lock()
	waiting := slices.DeleteFunc(slices.Clone(w.devices), func(d *device) bool { return len(d.queue) == 0 })
	if len(waiting) == 0 {
		w.mu.Unlock()
		return false
	}
	d := waiting[w.rand.IntN(len(waiting))]
	m := d.queue[0]
	d.queue = d.queue[1:]
	w.mu.Unlock()
	if err := d.engine.Handle(w.t.Context(), m.evt); err != nil {
		w.t.Errorf("%s: %s: %v", d.id, m.evt.Type.Type, err)
	}
	return true
}

// settle delivers all that is on its way.
func (w *world) settle() {
	for w.step() {
	}
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// open is a policy that accepts everyone.
func open(verify.Peer) verify.Decision { return verify.Accept }

// ask is a policy that leaves everyone to the hook.
func ask(verify.Peer) verify.Decision { return verify.Ask }

// wantCancelled checks that a session has ended with the code, and that nothing is trusted.
func wantCancelled(t *testing.T, d *device, code event.VerificationCancelCode) *verify.CancelError {
	t.Helper()
	s := d.session(t)
	var cancel *verify.CancelError
	if !errors.As(s.Err(), &cancel) || cancel.Code != code || s.State() != verify.StateCancelled {
		t.Fatalf("%s is %v with %v, want cancelled with %s", d.id, s.State(), s.Err(), code)
	}
	if len(d.proofs) > 0 {
		t.Errorf("%s trusts %v", d.id, d.proofs)
	}
	if len(d.engine.Sessions()) != 0 {
		t.Errorf("%s has open sessions", d.id)
	}
	return cancel
}

// wantProof checks that a session is done, and what it has proven.
func wantProof(t *testing.T, d *device, want verify.Proof) {
	t.Helper()
	if s := d.session(t); s.State() != verify.StateDone || s.Err() != nil {
		t.Fatalf("%s is %v with %v, want done", d.id, s.State(), s.Err())
	}
	if len(d.proofs) != 1 || d.proofs[0] != want {
		t.Errorf("%s trusts %v, want %v", d.id, d.proofs, want)
	}
}
