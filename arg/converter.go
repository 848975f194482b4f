package arg

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Converter turns one argument into a value of type T. It is told the text without its quotes. An error made by
// [Reject] is the user's; any other error, such as that of a database, goes to the caller of [Plan.Bind] unseen by the
// user. A Converter must be safe for concurrent use.
//
// Where a Converter has a method Kind() Kind, that names the parameter's kind; else the kind is T's name. Where it has a
// method Default() string, that is the default of fields whose tag has none and is neither optional nor required.
type Converter[T any] interface {
	Convert(ctx context.Context, text string) (T, error)
}

// ConverterFunc lets a function be a [Converter].
type ConverterFunc[T any] func(ctx context.Context, text string) (T, error)

// Convert calls f.
func (f ConverterFunc[T]) Convert(ctx context.Context, text string) (T, error) { return f(ctx, text) }

var _ Converter[int] = ConverterFunc[int](nil)

// Option changes how one plan is made.
type Option func(*builder)

// With makes fields of type T, *T and []T be converted by c in this plan, in place of what is built in for T.
func With[T any](c Converter[T]) Option {
	t := reflect.TypeFor[T]()
	return func(b *builder) {
		if c == nil {
			b.fault(fmt.Errorf("arg: nil converter for %s", t))
			return
		}
		kind := kindOf(t)
		if named, ok := c.(interface{ Kind() Kind }); ok {
			kind = named.Kind()
		}
		var def setting
		if usual, ok := c.(interface{ Default() string }); ok {
			def = setting{text: usual.Default(), set: true}
		}
		b.own[t] = codec{kind: kind, def: def, set: func(ctx context.Context, _ env, text string, v reflect.Value) error {
			x, err := c.Convert(ctx, text)
			if err == nil {
				*v.Addr().Interface().(*T) = x
			}
			return err
		}}
	}
}

// env is what a conversion may need beside the text.
type env struct {
	resolver Resolver
	location *time.Location
}

// setter converts text and puts the result into v, which has the codec's type and is addressable.
type setter func(ctx context.Context, e env, text string, v reflect.Value) error

// codec is all that is known about converting to one type.
type codec struct {
	kind    Kind
	set     setter
	def     setting                      // of fields that say nothing of it
	span    spanner                      // for values that reach over several words; nil for single words
	compare func(a, b reflect.Value) int // nil where min and max make no sense
	measure func(v reflect.Value) int    // length of a string in runes; nil where len makes no sense
	pure    bool                         // may be run when the plan is made, to check defaults and choices
	value   bool                         // results may be copied by assignment, so that a default is converted once
	mention bool                         // takes the links behind pills
}

// spanner looks for a value of its own syntax at the front of text. It returns the text to convert and how many bytes
// the value takes up; a length of 0 leaves the matter to the ordinary rules for words.
type spanner func(text string) (value string, length int, err error)

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// codec finds the codec of t: the plan's own converters first, then special types, UnmarshalText, and kinds.
func (b *builder) codec(t reflect.Type) (codec, bool) {
	if c, ok := b.own[t]; ok {
		return c, true
	}
	if c, ok := special[t]; ok {
		return c, true
	}
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return unmarshaled(t), true
	}
	return basic(t)
}

// kindOf makes a kind of a type's name.
func kindOf(t reflect.Type) Kind {
	if t.Name() == "" {
		return Kind(t.String())
	}
	return Kind(strings.ReplaceAll(kebab(t.Name()), "-", " "))
}

func unmarshaled(t reflect.Type) codec {
	kind := kindOf(t)
	return codec{kind: kind, pure: true, set: func(_ context.Context, _ env, text string, v reflect.Value) error {
		err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
		if err == nil {
			return nil
		}
		if r, ok := errors.AsType[*rejection](err); ok {
			return r
		}
		return rejectKind(text, kind, err)
	}}
}
