// Package syncjson decodes the response of Matrix' /sync as a stream (client-server API, "Syncing"): room by room,
// without building the tree, with the memory of one room. Events are views into the decoder's buffers; those that nobody
// wants cost no allocation.
//
// It also picks single fields out of JSON that is known to be valid: [Fields], [Get], [String].
package syncjson

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Decoder decodes sync responses, one after the other, in the same buffers. Its zero value is ready. It must not be used
// concurrently.
type Decoder struct {
	limits  limits
	json    *jsontext.Decoder
	gate    gate
	shallow shallow
	handler Handler
	result  Result
	room    Room
	view    View // the event outside rooms that is being handed over
	events  arena
	key     []byte
}

// Result is what stands in the response beside rooms and events.
type Result struct {
	NextBatch string // the token for the next sync; never empty if Decode gave no error

	// The state of end-to-end encryption, as JSON objects; nil if absent.
	DeviceLists      []byte // device_lists
	OneTimeKeyCounts []byte // device_one_time_keys_count
	FallbackKeyTypes []byte // device_unused_fallback_key_types, a JSON array

	Bytes   int64 // how long the response was
	Rooms   int   // how many rooms were handed over
	Events  int   // how many events were handed over, in rooms and outside
	Skipped int   // how many events and rooms were not
}

// Decode reads one response from r up to its end and hands its parts to h as they come. The order of keys is the
// server's: to-device events may come after the rooms.
//
// What is not as the specification has it is skipped, h is told, and the rest goes on. A part
// that is null counts as absent, bytes that are no UTF-8 become U+FFFD, and what nests deeper than 1,000 levels counts
// as 0, well-formed or not. Of a key that occurs twice the last counts, except where the first has been handed over
// already: rooms, and events outside rooms.
//
// Decode ends early with an error if the JSON is broken, r fails or ends early (then errors.Is finds
// io.ErrUnexpectedEOF), a limit is reached, or h returns an error, which is returned as it is. What h got before stays
// with h; without a nil error it should not take effect. ErrNoNextBatch comes last, after all else.
func (d *Decoder) Decode(r io.Reader, h Handler) (Result, error) {
	d.start(r, h)
	err := d.response()
	result := d.result
	result.Bytes = d.gate.delivered
	d.finish()
	return result, err
}

func (d *Decoder) start(r io.Reader, h Handler) {
	if d.limits == (limits{}) {
		d.limits = defaultLimits()
	}
	if d.json == nil {
		d.json = new(jsontext.Decoder)
	}
	d.shallow = shallow{r: r}
	d.gate = gate{r: &d.shallow, dec: d.json, window: d.limits.token, limit: d.limits.response}
	d.json.Reset(&d.gate, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	d.handler, d.result = h, Result{}
}

// finish lets go of the stream, the handler, and what has grown large.
func (d *Decoder) finish() {
	if d.gate.peak > keptBytes/4 {
		d.json = nil
	} else {
		d.json.Reset(strings.NewReader(""))
	}
	d.gate, d.shallow = gate{}, shallow{}
	d.handler, d.result, d.view = nil, Result{}, View{}
	d.events.reset()
	if cap(d.key) > keptBytes {
		d.key = nil
	}
}

func (d *Decoder) response() error {
	switch d.json.PeekKind() {
	case '{':
	case jsontext.KindInvalid:
		return d.skipValue()
	default:
		return ErrNotObject
	}
	if err := d.object(d.member); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("data behind the response")
		}
		return d.wrap(err)
	}
	if d.result.NextBatch == "" {
		return ErrNoNextBatch
	}
	return nil
}

// member reads one member of the response.
func (d *Decoder) member(key []byte) error {
	switch string(key) {
	case "next_batch":
		return d.text(&d.result.NextBatch, "next_batch")
	case "rooms":
		return d.optional('{', "rooms", func() error { return d.object(d.section) })
	case "account_data":
		return d.outside(KindAccountData)
	case "to_device":
		return d.outside(KindToDevice)
	case "presence":
		return d.outside(KindPresence)
	case "device_lists":
		return d.raw(&d.result.DeviceLists, '{', "device_lists")
	case "device_one_time_keys_count":
		return d.raw(&d.result.OneTimeKeyCounts, '{', "device_one_time_keys_count")
	case "device_unused_fallback_key_types":
		return d.raw(&d.result.FallbackKeyTypes, '[', "device_unused_fallback_key_types")
	}
	return d.skipValue()
}

// section reads one member of "rooms".
func (d *Decoder) section(key []byte) error {
	section := sectionOf(key)
	if section == 0 {
		return d.skipValue()
	}
	return d.optional('{', section.String(), func() error {
		return d.object(func(key []byte) error { return d.roomIn(section, key) })
	})
}
