package syncjson

// Event is one event, cut out of its JSON text (client-server API, "Room Event Format"). Nothing in it is checked
// beyond what the Kind it stood in demands.
type Event[T Text] struct {
	Raw       T // the whole event as JSON, valid UTF-8
	ID        T // begins with '$'; empty where the kind of event has none
	Type      T
	Sender    T     // begins with '@'; empty where the kind of event has none
	StateKey  T     // meaningful only with HasStateKey
	Content   T     // a JSON object
	Redacts   T     // what an m.room.redaction redacts, by its own field or, from room version 11, its content's
	Unsigned  T     // a JSON object, or empty
	Timestamp int64 // origin_server_ts in milliseconds since 1970, which the sender's server may set at will; 0 if absent

	HasStateKey bool // whether this is a state event
}

// View is an event that lies in the buffers of a Decoder. It is valid during the Handler's call only and must not be
// changed.
type View = Event[[]byte]

// Kept is an event that stays valid. Its texts share one string, a copy of the event's JSON, and hold on to that only.
type Kept = Event[string]

// Keep copies a view. It allocates once, and once more for each of its texts that holds an escape. An event that is kept
// already is returned as it is.
func (e *Event[T]) Keep() Kept {
	if kept, ok := any(e).(*Kept); ok {
		return *kept
	}
	k := keeper{raw: []byte(e.Raw), kept: string(e.Raw)}
	return Kept{
		Raw: k.kept, ID: k.keep([]byte(e.ID)), Type: k.keep([]byte(e.Type)), Sender: k.keep([]byte(e.Sender)),
		StateKey: k.keep([]byte(e.StateKey)), Content: k.keep([]byte(e.Content)), Redacts: k.keep([]byte(e.Redacts)),
		Unsigned: k.keep([]byte(e.Unsigned)), Timestamp: e.Timestamp, HasStateKey: e.HasStateKey,
	}
}

// keeper copies the texts of one event.
type keeper struct {
	raw  []byte
	kept string // The same
}

// keep is a copy of the text: the piece of the kept event that it was cut out of, or, where it held an escape and lies
// elsewhere, one of its own.
func (k *keeper) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	// What is cut out of an array reaches as far as the array does.
	at := cap(k.raw) - cap(text)
	if at >= 0 && at+len(text) <= len(k.raw) && &k.raw[at] == &text[0] {
		return k.kept[at : at+len(text)]
	}
	return string(text)
}

// Parse cuts an event out of its JSON text, such as a stored Raw or the plaintext of an encrypted event. The text has to
// be valid JSON; foreign text, such as a plaintext, must be found to be first (json.Valid). What is absent, null or of
// the wrong type is empty; ok is false if the type is missing, or the content is no object. Unlike a Decoder, Parse
// does not look at what identifiers begin with, nor at how deep the event nests.
func Parse[T Text](raw T) (e Event[T], ok bool) {
	e, _ = parse(raw)
	return e, len(e.Type) > 0 && len(e.Content) > 0
}

// Age returns how long ago the event was sent when the response was made, in milliseconds by the homeserver's clock.
// ok is false if the server did not say.
func (e *Event[T]) Age() (ms int64, ok bool) { return Int(Get(e.Unsigned, "age")) }

// TransactionID returns the transaction id with which this device sent the event, or nothing.
func (e *Event[T]) TransactionID() T { return GetString(e.Unsigned, "transaction_id") }

// PrevContent returns the content of the state event that this one replaced, a JSON object, or nothing.
func (e *Event[T]) PrevContent() (content T) {
	if prev := Get(e.Unsigned, "prev_content"); IsObject(prev) {
		return prev
	}
	return content
}

// Redacted reports whether the event has been redacted.
func (e *Event[T]) Redacted() bool { return !IsNull(Get(e.Unsigned, "redacted_because")) }
