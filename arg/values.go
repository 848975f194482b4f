package arg

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

// Values is what a user filled into a form that was made of a plan's parameters, as a client of MSC4391 does.
type Values struct {
	// JSON is an object of the arguments by the names of their parameters; empty stands for an empty one. A string is
	// what would have been typed. Beside that, whole numbers, true and false, arrays for parameters that take several
	// values, objects of the types room_id and event_id of MSC4391 for what a link could stand for, and anything for
	// JSON. Null counts as not given.
	JSON     json.RawMessage
	Resolver Resolver       // as in Input
	Location *time.Location // as in Input
}

// BindValues is [Plan.Bind] for arguments that are named and typed already: with the same conversions, limits and
// defaults, and the same errors. The text that an [Error] shows is what the user would have typed with all arguments
// given by name: --user @alice:example.org --for 24x.
func (p *Plan) BindValues(ctx context.Context, in Values, dst any) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem() != p.typ {
		return fmt.Errorf("arg: bind needs a *%s, not %T", p.typ, dst)
	}
	members, err := readMembers(in.JSON)
	if err != nil {
		return err
	}
	b := binding{plan: p, dst: v.Elem(), env: env{resolver: in.Resolver, location: in.Location}}
	entries := make([]entry, len(members))
	for i, m := range members {
		entries[i] = p.entry(m)
	}
	// JSON has no order, so that of the parameters is what the user will know. What is unknown comes last.
	slices.SortStableFunc(entries, func(e, f entry) int { return cmp.Compare(uint(e.place), uint(f.place)) })
	var text strings.Builder
	for i := range entries {
		entries[i].write(&text)
	}
	b.scan.text = text.String()
	for i := range entries {
		if err := b.enter(ctx, &entries[i]); err != nil {
			return err
		}
	}
	return b.finish(ctx)
}

// member is a member of a JSON object.
type member struct {
	key   string
	value json.RawMessage
}

// readMembers reads an object in its order, doubles included: what is given twice is to be told.
func readMembers(raw json.RawMessage) ([]member, error) {
	text := string(raw)
	if err := checkLength(text); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		return nil, nil
	}
	wrong := func(err error) *Error {
		return &Error{Text: text, End: len(text), Reason: "the arguments are no JSON object", Err: err}
	}
	if excess, ok := errors.AsType[*rejection](checkDepth(text)); ok {
		return nil, &Error{Text: text, End: len(text), Reason: excess.reason}
	}
	if !json.Valid(raw) {
		return nil, wrong(nil)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return nil, wrong(err)
	}
	var members []member
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, wrong(err)
		}
		m := member{}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, wrong(err)
		}
		m.key, _ = key.(string)
		members = append(members, m)
	}
	return members, nil
}

// entry is an argument as it was given, and where it stands in the text that is shown for it.
type entry struct {
	name       string
	place      int // In plan.params; -1 where there is no such parameter
	bare       bool
	list       bool
	values     []entered
	start, end int // Of the name
}

// entered is one value of an entry.
type entered struct {
	text       string
	fault      *rejection // Why it can't be the parameter's, whatever its text says
	start, end int
}

// entry reads a member. Null has no values.
func (p *Plan) entry(m member) entry {
	e := entry{name: m.key, place: -1, list: m.value[0] == '['}
	var q *param
	if place, ok := p.named(m.key, 2); ok {
		q = &p.params[place]
		e.name, e.place, e.bare = q.Name, place, q.bare()
	}
	switch {
	case m.value[0] == 'n':
	case q != nil && e.list && q.Repeated:
		var elements []json.RawMessage
		if err := json.Unmarshal(m.value, &elements); err != nil {
			e.values = []entered{{text: string(m.value), fault: &rejection{reason: "not a list", err: err}}}
		}
		for _, element := range elements {
			e.values = append(e.values, q.read(element))
		}
	default:
		e.values = []entered{q.read(m.value)}
	}
	return e
}

// read makes of a JSON value the text that stands for it. A nil p takes anything.
func (p *param) read(raw json.RawMessage) entered {
	text := string(raw)
	if p == nil {
		return entered{text: unquoteJSON(raw)}
	}
	if raw[0] == '"' {
		return entered{text: unquoteJSON(raw)}
	}
	if p.kind == KindJSON {
		return entered{text: text}
	}
	refuse := func(what string) entered {
		return entered{text: text, fault: &rejection{reason: what + " is not " + p.kind.expects()}}
	}
	switch raw[0] {
	case '[':
		return refuse("a list")
	case '{':
		if link, ok := readRoomObject(raw); ok && p.kind != KindText {
			return entered{text: link}
		}
		return refuse("an object")
	}
	if p.kind == KindText {
		return refuse(text)
	}
	return entered{text: text}
}

func unquoteJSON(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// readRoomObject makes a link of an object that stands for a room or an event.
// https://github.com/matrix-org/matrix-spec-proposals/pull/4391
func readRoomObject(raw json.RawMessage) (link string, ok bool) {
	var object struct {
		Type  string     `json:"type"`
		Room  id.RoomID  `json:"id"`
		Event id.EventID `json:"event_id"`
		Via   []string   `json:"via"`
	}
	if json.Unmarshal(raw, &object) != nil || object.Room == "" {
		return "", false
	}
	to := Link{Room: object.Room, Via: object.Via}
	switch object.Type {
	case "room_id":
	case "event_id":
		to.Event = object.Event
	default:
		return "", false
	}
	return to.String(), true
}

// write appends the argument as it would be typed.
func (e *entry) write(text *strings.Builder) {
	if len(e.values) == 0 && e.place < 0 {
		e.start, e.end = writeName(text, e.name)
	}
	for i := range e.values {
		v := &e.values[i]
		v.start, v.end = writeName(text, e.name)
		if i == 0 {
			e.start, e.end = v.start, v.end
		}
		switch {
		case e.bare && v.text == "true":
			continue
		case e.bare:
			text.WriteByte('=')
		default:
			text.WriteByte(' ')
		}
		v.start = text.Len()
		text.WriteString(Quote(v.text))
		v.end = text.Len()
	}
}

func writeName(text *strings.Builder, name string) (start, end int) {
	if text.Len() > 0 {
		text.WriteByte(' ')
	}
	start = text.Len()
	text.WriteString("--" + name)
	return start, text.Len()
}

// enter gives an argument's values to its parameter.
func (b *binding) enter(ctx context.Context, e *entry) error {
	if e.place < 0 {
		return b.unknownName(e)
	}
	p := &b.plan.params[e.place]
	if len(e.values) > 0 && b.seen&(1<<e.place) != 0 && !p.Repeated {
		return &Error{Param: p.Name, Text: b.scan.text, Offset: e.start, End: e.end, Reason: "given twice", Err: ErrRepeated}
	}
	if len(e.values) == 0 && e.list && !p.Required {
		b.field(p).SetZero()
		b.seen |= 1 << e.place
	}
	for _, v := range e.values {
		if v.fault != nil {
			return b.error(fault{p, v.start, v.end, v.fault})
		}
		if b.scan.words++; b.scan.words > MaxWords {
			reason := fmt.Sprintf("there are more than %d values", MaxWords)
			return &Error{Param: p.Name, Text: b.scan.text, Offset: v.start, End: v.end, Reason: reason, Err: ErrTooLong}
		}
		if err := b.put(ctx, e.place, p, v.text); err != nil {
			cause, err := b.rejected(p, err)
			if err != nil {
				return err
			}
			return b.error(fault{p, v.start, v.end, cause})
		}
	}
	return nil
}

func (b *binding) unknownName(e *entry) error {
	names := make([]string, len(b.plan.params))
	for i := range b.plan.params {
		names[i] = b.plan.params[i].Name
	}
	reason := "unknown argument " + show(e.name)
	if near, ok := Nearest(e.name, names); ok {
		reason += "; did you mean " + near + "?"
	}
	return &Error{Text: b.scan.text, Offset: e.start, End: e.end, Reason: reason, Err: ErrUnknownFlag}
}
