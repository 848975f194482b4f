package niobot

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// maxEventBytes is how large an event may be in all (spec: Client-Server API, "Size limits"); what the server adds to
// the content needs room as well.
const (
	maxEventBytes   = 65536
	maxContentBytes = maxEventBytes - 4096
)

// outbox sends to rooms. What goes to one room is sent in the order of the calls, each repeated until it is on the
// server or refused, so that a room that has to wait holds up no other.
type outbox struct {
	client *mautrix.Client
	seal   sealer
	echoes *echoes
	maxAge time.Duration // How long a request may be repeated
	pace   pacer

	mu    sync.Mutex
	turns map[id.RoomID]*turn
}

// turn is the right to send to a room.
type turn struct {
	gate  gate
	users int
}

// sealer is what an event is sent as: in an encrypted room, as its ciphertext. It refuses what it can't encrypt.
type sealer func(ctx context.Context, room id.RoomID, typ event.Type, body json.RawMessage) (event.Type, json.RawMessage, error)

func newOutbox(client *mautrix.Client, seal sealer, own *echoes, maxAge time.Duration) *outbox {
	return &outbox{client: client, seal: seal, echoes: own, maxAge: maxAge, turns: make(map[id.RoomID]*turn)}
}

// inTurn calls f when it is its turn in the room.
func (o *outbox) inTurn(ctx context.Context, room id.RoomID, f func() error) error {
	o.mu.Lock()
	t := o.turns[room]
	if t == nil {
		t = &turn{gate: newGate()}
		o.turns[room] = t
	}
	t.users++
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(o.turns, room)
		}
	}()
	err := t.gate.enter(ctx)
	if err == nil {
		err = f()
		t.gate.leave()
	}
	if c, answers := FromContext(ctx); err != nil && answers && c.run != nil && c.bot.life.Err() != nil {
		c.run.missed.Store(true)
	}
	return err
}

// send puts an event into a room and returns its id.
func (o *outbox) send(ctx context.Context, room id.RoomID, typ event.Type, content any, txn string) (id.EventID, error) {
	body, err := encodeContent(content)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", typ.Type, err)
	}
	if len(body) > maxContentBytes {
		return "", fmt.Errorf("send %s of %d bytes: %w", typ.Type, len(body), ErrTooLarge)
	}
	var sent id.EventID
	err = o.inTurn(ctx, room, func() error {
		var known bool
		if sent, known = o.echoes.find(txn); known {
			return nil
		}
		typ, body, err := o.sealed(ctx, room, typ, body)
		if err == nil {
			sent, err = o.deliver(ctx, room, typ, body, txn)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("send %s to %s: %w", typ.Type, room, err)
	}
	return sent, nil
}

// sealed is what an event is sent as. Keys are shared by requests, which are worth as much patience as the event itself.
func (o *outbox) sealed(
	ctx context.Context, room id.RoomID, typ event.Type, body json.RawMessage,
) (as event.Type, content json.RawMessage, err error) {
	as, content, err = o.seal(ctx, room, typ, body)
	if _, again := retryWait(err, new(backoff)); err == nil || !again {
		return as, content, err
	}
	err = o.insist(ctx, room, func(ctx context.Context) (err error) {
		as, content, err = o.seal(ctx, room, typ, body)
		return err
	}, nil)
	return as, content, err
}

// put is send for what is to be sent as it stands.
func (o *outbox) put(ctx context.Context, room id.RoomID, typ event.Type, body json.RawMessage, txn string) (sent id.EventID, err error) {
	err = o.inTurn(ctx, room, func() error {
		sent, err = o.deliver(ctx, room, typ, body, txn)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("send %s to %s: %w", typ.Type, room, err)
	}
	return sent, nil
}

// deliver makes the request, in the room's turn, until it is answered.
func (o *outbox) deliver(ctx context.Context, room id.RoomID, typ event.Type, body json.RawMessage, txn string) (sent id.EventID, err error) {
	defer o.echoes.launch(txn)()
	err = o.insist(ctx, room, func(ctx context.Context) error {
		ctx, cancel := unlessSuperseded(ctx)
		defer cancel()
		resp, err := o.client.SendMessageEvent(ctx, room, typ, body,
			mautrix.ReqSendEvent{TransactionID: txn, DontEncrypt: true})
		if err == nil && resp != nil {
			sent = resp.EventID
		}
		return err
	}, func(ctx context.Context) (known bool) {
		sent, known = o.echoes.afterFailure(ctx, room, txn)
		return known
	})
	if err == nil && sent == "" {
		err = errNoEventID
	}
	return sent, err
}

// insist makes a request for a room until it is answered for good, at the pace that the server allows, and gives up when
// it has become too old. arrived is asked before an attempt whose predecessor may have reached the server; it tells that
// none is needed.
func (o *outbox) insist(
	ctx context.Context, room id.RoomID, f func(ctx context.Context) error, arrived func(ctx context.Context) bool,
) error {
	_, answers := FromContext(ctx)
	begin := time.Now()
	var wait backoff
	for {
		if err := o.pace.enter(ctx, room, answers); err != nil {
			return err
		}
		err := attemptOnce(ctx, f)
		if err == nil {
			o.pace.pass(room)
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		pause, again := retryWait(err, &wait)
		if !again {
			return err
		}
		if time.Since(begin)+pause > o.maxAge {
			return fmt.Errorf("%w: %w", ErrTooOld, err)
		}
		if errors.Is(err, mautrix.MLimitExceeded) {
			o.pace.slow(room, pause)
			continue
		}
		if sleep(ctx, pause) != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		if arrived != nil && arrived(ctx) {
			return nil
		}
	}
}

// encodeContent is content as JSON of the length that servers count, in which < takes one byte.
func encodeContent(content any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(content)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// unlessSuperseded makes a context that ends with ctx, except where that ends since the command was edited or redacted: a
// send under way may have reached the server, and its event must be known to be edited or redacted as well.
func unlessSuperseded(ctx context.Context) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), errSuperseded) {
			cancel()
		}
	})
	return limited, func() { stop(); cancel() }
}

// redact removes an event's content.
func (o *outbox) redact(ctx context.Context, room id.RoomID, target id.EventID, reason, txn string) error {
	err := o.inTurn(ctx, room, func() error {
		if _, known := o.echoes.find(txn); known {
			return nil
		}
		defer o.echoes.launch(txn)()
		return o.insist(ctx, room, func(ctx context.Context) error {
			_, err := o.client.RedactEvent(ctx, room, target, mautrix.ReqRedact{Reason: reason, TxnID: txn})
			return err
		}, func(ctx context.Context) (known bool) {
			_, known = o.echoes.afterFailure(ctx, room, txn)
			return known
		})
	})
	if err != nil {
		return fmt.Errorf("redact %s: %w", target, err)
	}
	return nil
}

var errNoEventID = errors.New("the server's answer names no event")

// transactionPrefix is what all transaction ids of the bot begin with.
const transactionPrefix = "niobot-"

// runTransaction is the transaction id of the n-th send of a command's run. A run that is repeated makes the same
// ids, so that the server answers with the events that it has.
func runTransaction(command id.EventID, name string, n uint64) string {
	h := sha256.New()
	h.Write([]byte(command))
	h.Write([]byte{0})
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write(binary.BigEndian.AppendUint64(nil, n))
	return transactionPrefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// newTransaction is a transaction id that was never used.
func newTransaction() string { return transactionPrefix + rand.Text() }
