package syncjson

// fields is a set of an event's top-level fields.
type fields uint8

const (
	fieldID fields = 1 << iota
	fieldType
	fieldSender
	fieldStateKey
	fieldContent
	fieldRedacts
	fieldTimestamp
	fieldUnsigned
)

// fieldNames are the keys of the fields, in the order of their bits.
var fieldNames = [...]string{
	"event_id", "type", "sender", "state_key", "content", "redacts", "origin_server_ts", "unsigned",
}

// name returns the key of the first field in the set.
func (f fields) name() string {
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			return name
		}
	}
	return ""
}

// required are the fields without which an event of a kind is of no use.
var required = [...]fields{
	KindTimeline:        fieldID | fieldType | fieldSender | fieldTimestamp | fieldContent,
	KindState:           fieldID | fieldType | fieldSender | fieldTimestamp | fieldContent | fieldStateKey,
	KindStripped:        fieldType | fieldSender | fieldContent | fieldStateKey,
	KindEphemeral:       fieldType | fieldContent,
	KindRoomAccountData: fieldType | fieldContent,
	KindAccountData:     fieldType | fieldContent,
	KindToDevice:        fieldType | fieldSender | fieldContent,
	KindPresence:        fieldType | fieldSender | fieldContent,
}

// verdict is what parse found out beside the event itself.
type verdict struct {
	has   fields // what is there and well-typed; null is not there
	wrong fields // what is there and of the wrong type
	depth int    // how deep the event nests, itself included
}

// set notes whether the value of a field was usable. Of a key that comes twice the last counts.
func (v *verdict) set(f fields, ok, null bool) {
	v.has &^= f
	v.wrong &^= f
	switch {
	case ok:
		v.has |= f
	case !null:
		v.wrong |= f
	}
}

const redaction = "m.room.redaction"

// parse cuts the event out of raw, an object of valid JSON.
func parse[T Text](raw T) (e Event[T], v verdict) {
	e.Raw = raw
	for at := begin(raw, '{'); at >= 0; {
		f := scanField(raw, at)
		if f.next < 0 {
			break
		}
		at = f.next
		v.depth = max(v.depth, f.depth)
		if key, ok := keyOf(raw, &f); ok && len(key) <= len("origin_server_ts") {
			e.set(key, raw[f.start:f.end], &v)
		}
	}
	v.depth++
	e.setRedacts(&v)
	return e, v
}

// set takes over one member of the event's object.
func (e *Event[T]) set(key, value T, v *verdict) {
	var none T
	text := func(field *T, f fields) {
		var ok bool
		if *field, ok = String(value); !ok {
			*field = none
		}
		v.set(f, ok, IsNull(value))
	}
	object := func(field *T, f fields) {
		if *field = none; IsObject(value) {
			*field = value
		}
		v.set(f, IsObject(value), IsNull(value))
	}
	switch string(key) {
	case "event_id":
		text(&e.ID, fieldID)
	case "type":
		text(&e.Type, fieldType)
	case "sender":
		text(&e.Sender, fieldSender)
	case "state_key":
		text(&e.StateKey, fieldStateKey)
		e.HasStateKey = v.has&fieldStateKey != 0
	case "redacts":
		text(&e.Redacts, fieldRedacts)
	case "content":
		object(&e.Content, fieldContent)
	case "unsigned":
		object(&e.Unsigned, fieldUnsigned)
	case "origin_server_ts":
		var ok bool
		e.Timestamp, ok = Int(value)
		v.set(fieldTimestamp, ok, IsNull(value))
	}
}

// setRedacts settles what a redaction redacts. Up to room version 10 that is a field of the event, since then one of
// its content, of which servers put a copy into the old place. The event's own field goes first: in old rooms it is the
// one that servers check.
func (e *Event[T]) setRedacts(v *verdict) {
	var none T
	if string(e.Type) != redaction {
		e.Redacts = none
		v.set(fieldRedacts, false, true)
		return
	}
	if (v.has|v.wrong)&fieldRedacts != 0 {
		return
	}
	value := Get(e.Content, "redacts")
	text, ok := String(value)
	if ok {
		e.Redacts = text
	}
	v.set(fieldRedacts, ok, IsNull(value))
}

// check reports why the event can't be handed over as one of the kind; zero if it can.
func (e *Event[T]) check(kind Kind, v verdict, maxDepth int) (why Reason, at string) {
	need := required[kind]
	// What the server adds for comfort costs no event.
	wrong := v.wrong &^ fieldUnsigned
	switch {
	case v.depth > maxDepth:
		return TooDeep, ""
	case wrong != 0:
		return BadField, wrong.name()
	case need&^v.has != 0:
		return BadField, (need &^ v.has).name()
	case len(e.Type) == 0:
		return BadField, fieldType.name()
	case v.has&fieldID != 0 && !isID(e.ID, '$'):
		return BadID, fieldID.name()
	case v.has&fieldSender != 0 && !isID(e.Sender, '@'):
		return BadID, fieldSender.name()
	case v.has&fieldRedacts != 0 && !isID(e.Redacts, '$'):
		return BadID, fieldRedacts.name()
	}
	return 0, ""
}

// isID reports whether s can be an identifier with the sigil.
func isID[T Text](s T, sigil byte) bool {
	return len(s) > 1 && len(s) <= maxIDBytes && s[0] == sigil
}
