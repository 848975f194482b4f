package verify_test

import (
	"encoding/json"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/e2ee/verify"
)

// FuzzHandle gives the bot a made-up message at some step of a verification, and then what honestly comes. Whatever it
// is, nothing is trusted, as nobody has confirmed, and nothing panics.
func FuzzHandle(f *testing.F) {
	kinds := []string{"request", "ready", "start", "accept", "key", "mac", "done", "cancel"}
	for k := range kinds {
		for step := range uint8(8) {
			f.Add(step, uint8(k), step%2 == 0, []byte(`{"from_device":"PHONE","methods":["m.sas.v1"],"method":"m.sas.v1",`+
				`"key":"`+zeros()+`","keys":"`+zeros()+`","mac":{"ed25519:PHONE":"`+zeros()+`"}}`))
		}
	}
	f.Fuzz(func(t *testing.T, step, kind uint8, botAsks bool, raw []byte) {
		w := newWorld(t, 1)
		p := pair{world: w}
		p.bot = w.device(robot, "ROBOT", verify.Policy{Admit: open, ShowQR: step%3 == 0, ScanQR: true})
		p.other = w.device(alice, "PHONE", verify.Policy{Admit: open})
		var s *verify.Session
		if botAsks {
			s = request(t, p.bot, p.other, false)
		} else {
			s = request(t, p.other, p.bot, false)
		}
		for range step % 8 {
			p.step()
		}
		content := json.RawMessage(raw)
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) == nil && fields != nil {
			fields["transaction_id"], _ = json.Marshal(s.Ref().Transaction)
			content, _ = json.Marshal(fields)
		}
		typ := "m.key.verification." + kinds[int(kind)%len(kinds)]
		for range 2 {
			if err := p.bot.engine.Handle(t.Context(), verify.Event{
				Type: event.Type{Type: typ, Class: event.ToDeviceEventType}, Sender: alice, Content: content,
			}); err != nil {
				t.Fatal(err)
			}
		}
		p.settle()
		if len(p.bot.proofs) > 0 {
			t.Errorf("the bot trusts %v", p.bot.proofs)
		}
		for _, session := range p.bot.sessions {
			if session.State() == verify.StateDone {
				t.Error("done, and nobody has confirmed")
			}
		}
	})
}
