package syncjson

import (
	"errors"

	"maunium.net/go/mautrix/id"
)

// roomIn reads one room and hands it over.
func (d *Decoder) roomIn(section Section, key []byte) error {
	d.room.reset(section, "")
	defer d.room.reset(0, "")
	defer d.events.reset()
	if !isID(key, '!') {
		return d.refuse(Skip{Reason: BadID})
	}
	d.room.ID = id.RoomID(key)
	if d.json.PeekKind() != '{' {
		return d.refuse(Skip{Reason: BadType})
	}
	if err := d.object(d.roomMember); err != nil {
		return err
	}
	r := &d.room
	d.result.Rooms++
	d.result.Events += len(r.State) + len(r.Timeline) + len(r.Ephemeral) + len(r.AccountData)
	return d.handler.Room(r)
}

// roomMember reads one member of a room's object.
func (d *Decoder) roomMember(key []byte) error {
	r := &d.room
	switch string(key) {
	case "state":
		if r.Section == Join || r.Section == Leave {
			return d.part(KindState)
		}
	case "timeline":
		if r.Section == Join || r.Section == Leave {
			r.Limited, r.PrevBatch = false, ""
			return d.part(KindTimeline)
		}
	case "invite_state":
		if r.Section == Invite {
			return d.part(KindStripped)
		}
	case "knock_state":
		if r.Section == Knock {
			return d.part(KindStripped)
		}
	case "ephemeral":
		return d.part(KindEphemeral)
	case "account_data":
		return d.part(KindRoomAccountData)
	case "summary":
		r.Summary = noSummary
		return d.optional('{', "summary", func() error { return d.object(d.summaryMember) })
	case "unread_notifications":
		r.Notifications, r.Highlights = -1, -1
		return d.optional('{', "unread_notifications", func() error { return d.object(d.unreadMember) })
	}
	return d.skipValue()
}

// part reads a part of a room that holds events.
func (d *Decoder) part(kind Kind) error {
	list := d.room.list(kind)
	*list = (*list)[:0]
	return d.optional('{', kind.String(), func() error {
		return d.object(func(key []byte) error {
			switch string(key) {
			case "events":
				*list = (*list)[:0]
				return d.optional('[', "events", func() error { return d.collect(kind, list) })
			case "limited":
				if kind == KindTimeline {
					return d.limited()
				}
			case "prev_batch":
				if kind == KindTimeline {
					return d.text(&d.room.PrevBatch, "prev_batch")
				}
			}
			return d.skipValue()
		})
	})
}

// limited reads the timeline's flag.
func (d *Decoder) limited() error {
	d.room.Limited = false
	switch d.json.PeekKind() {
	case 't':
		d.room.Limited = true
	case 'f', 'n':
	default:
		return d.refuse(Skip{Reason: BadType, Field: "limited"})
	}
	return d.skipValue()
}

// collect reads an array of events into list.
func (d *Decoder) collect(kind Kind, list *[]View) error {
	surplus := 0
	err := d.array(func() error {
		if len(*list) >= d.limits.section {
			surplus++
			return d.skipValue()
		}
		*list = append(*list, View{})
		e := &(*list)[len(*list)-1]
		ok, err := d.event(kind, e)
		if !ok {
			*list = (*list)[:len(*list)-1]
		}
		return err
	})
	if surplus > 0 {
		d.skipped(Skip{Reason: TooMany, Kind: kind, Count: surplus})
	}
	return err
}

// outside reads a part of the response that holds events, and hands them over.
func (d *Decoder) outside(kind Kind) error {
	one := func() error {
		ok, err := d.event(kind, &d.view)
		if err != nil || !ok {
			return err
		}
		d.result.Events++
		err = d.handler.Event(kind, &d.view)
		d.events.reset()
		return err
	}
	return d.optional('{', kind.String(), func() error {
		return d.object(func(key []byte) error {
			if string(key) != "events" {
				return d.skipValue()
			}
			return d.optional('[', "events", func() error { return d.array(one) })
		})
	})
}

// array reads the array that comes next, and calls element when each of its elements does.
func (d *Decoder) array(element func() error) error {
	if _, err := d.json.ReadToken(); err != nil {
		return d.wrap(err)
	}
	for d.json.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return d.wrap(err)
}

// event reads an event into e. It reports false for one that was skipped.
func (d *Decoder) event(kind Kind, e *View) (bool, error) {
	if d.json.PeekKind() != '{' {
		return false, d.refuse(Skip{Reason: BadType, Kind: kind})
	}
	// What lies before the event is space and a comma, and the decoder reads on in blocks.
	const slack = 8 << 10
	d.gate.window = int64(d.limits.event) + slack
	raw, err := d.json.ReadValue()
	d.gate.window = d.limits.token
	switch {
	case errors.Is(err, errWindow):
		return false, d.refuse(Skip{Reason: TooLarge, Kind: kind})
	case err != nil:
		return false, d.wrap(err)
	case len(raw) > d.limits.event:
		d.skipped(Skip{Reason: TooLarge, Kind: kind})
		return false, nil
	}
	mark := d.events.mark()
	var v verdict
	*e, v = parse(d.events.copy(raw))
	if why, field := e.check(kind, v, d.limits.depth); why != 0 {
		s := Skip{Reason: why, Kind: kind, Field: field}
		if isID(e.ID, '$') {
			s.EventID = id.EventID(e.ID)
		}
		d.events.rewind(mark)
		d.skipped(s)
		return false, nil
	}
	return true, nil
}

// summaryMember reads one member of a room's summary.
func (d *Decoder) summaryMember(key []byte) error {
	s := &d.room.Summary
	switch string(key) {
	case "m.heroes":
		s.Heroes = nil
		return d.optional('[', "m.heroes", d.heroes)
	case "m.joined_member_count":
		return d.integer(&s.Joined, "m.joined_member_count")
	case "m.invited_member_count":
		return d.integer(&s.Invited, "m.invited_member_count")
	}
	return d.skipValue()
}

// heroes reads the users after whom a room without a name is called: "the first 5".
func (d *Decoder) heroes() error {
	const most = 100
	heroes := []id.UserID{}
	err := d.array(func() error {
		if d.json.PeekKind() != '"' || len(heroes) == most {
			return d.skipValue()
		}
		raw, err := d.json.ReadValue()
		if err != nil {
			return d.wrap(err)
		}
		if hero := d.plain(raw); isID(hero, '@') {
			heroes = append(heroes, id.UserID(hero))
		}
		return nil
	})
	d.room.Summary.Heroes = heroes
	return err
}

// unreadMember reads one member of a room's unread counts.
func (d *Decoder) unreadMember(key []byte) error {
	switch string(key) {
	case "notification_count":
		return d.integer(&d.room.Notifications, "notification_count")
	case "highlight_count":
		return d.integer(&d.room.Highlights, "highlight_count")
	}
	return d.skipValue()
}
