package syncjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The methods of this file read single values from the stream and know nothing of Matrix.

// object reads the object that comes next, and calls member when each member's value does. The key is valid until
// member reads on.
func (d *Decoder) object(member func(key []byte) error) error {
	if _, err := d.json.ReadToken(); err != nil {
		return d.wrap(err)
	}
	for d.json.PeekKind() != '}' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return d.wrap(err)
		}
		if err := member(d.plain(raw)); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return d.wrap(err)
}

// plain returns the text of a JSON string, as valid UTF-8. It is valid until the next call and the next read.
func (d *Decoder) plain(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	// The escapes go last: what they stand for is valid, and a byte that is not ends no escape.
	d.key, _ = AppendString(d.key[:0], appendValid(nil, raw))
	return d.key
}

// optional calls read if the value that comes next is of the kind. Null counts as absent, all else is reported.
func (d *Decoder) optional(kind jsontext.Kind, field string, read func() error) error {
	switch d.json.PeekKind() {
	case kind:
		return read()
	case jsontext.KindNull:
		return d.skipValue()
	}
	return d.refuse(Skip{Reason: BadType, Field: field})
}

// text reads a string. Anything else makes it empty, and is reported unless it is null.
func (d *Decoder) text(to *string, field string) error {
	*to = ""
	return d.optional('"', field, func() error {
		raw, err := d.json.ReadValue()
		if err != nil {
			return d.wrap(err)
		}
		*to = string(d.plain(raw))
		return nil
	})
}

// integer reads a number. Anything else makes it -1, and is reported unless it is null.
func (d *Decoder) integer(to *int64, field string) error {
	*to = -1
	return d.optional('0', field, func() error {
		raw, err := d.json.ReadValue()
		if err != nil {
			return d.wrap(err)
		}
		if n, ok := Int(raw); ok {
			*to = n
		} else {
			d.skipped(Skip{Reason: BadType, Field: field})
		}
		return nil
	})
}

// raw reads a value of the kind as JSON.
func (d *Decoder) raw(to *[]byte, kind jsontext.Kind, field string) error {
	*to = nil
	return d.optional(kind, field, func() error {
		raw, err := d.json.ReadValue()
		if err != nil {
			return d.wrap(err)
		}
		*to = appendValid(make([]byte, 0, len(raw)), raw)
		return nil
	})
}

// skipValue reads over the value that comes next, however large.
func (d *Decoder) skipValue() error { return d.wrap(d.json.SkipValue()) }

// refuse reads over the value that comes next, and tells the handler once it has proved to be JSON.
func (d *Decoder) refuse(s Skip) error {
	if err := d.skipValue(); err != nil {
		return err
	}
	d.skipped(s)
	return nil
}

// wrap makes an error of the JSON decoder one of this package.
func (d *Decoder) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errWindow):
		err = ErrTokenTooLong
	case errors.Is(err, ErrResponseTooLarge):
		return ErrResponseTooLarge
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	// The whole text of a syntax error quotes the path, which is foreign and may be long.
	if broken, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("decode sync response at byte %d: %w", broken.ByteOffset, broken.Err)
	}
	return fmt.Errorf("decode sync response: %w", err)
}

// skipped tells the handler what was left out of the current room, or of the response.
func (d *Decoder) skipped(s Skip) {
	s.Section, s.RoomID = d.room.Section, d.room.ID
	s.Count = max(s.Count, 1)
	d.result.Skipped += s.Count
	d.handler.Skipped(s)
}
