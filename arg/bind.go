package arg

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Input is what a user sent, and what is needed to understand it.
type Input struct {
	Text     string         // all that follows the command's name, as it was sent
	HTML     string         // formatted_body of the message; empty where there is none. Names the ids behind pills
	Resolver Resolver       // looks up room aliases; nil makes an alias where a room id is needed an ErrNoResolver
	Location *time.Location // of times without a zone; nil means UTC
}

// Bind fills the struct that dst points to, which must be of the plan's type. Parameters that are not in the input get
// their default or the zero value, whatever the struct held before.
//
// The error is an [*Error] where the text is at fault. Any other error is trouble elsewhere: a wrong dst, a [Converter]
// or a [Resolver] that did not work. After an error the struct may be filled in part.
func (p *Plan) Bind(ctx context.Context, in Input, dst any) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem() != p.typ {
		return fmt.Errorf("arg: bind needs a *%s, not %T", p.typ, dst)
	}
	if err := checkLength(in.Text); err != nil {
		return err
	}
	b := binding{
		plan: p,
		dst:  v.Elem(),
		scan: scanner{text: in.Text},
		html: in.HTML,
		env:  env{resolver: in.Resolver, location: in.Location},
	}
	if err := b.words(ctx); err != nil {
		return err
	}
	return b.finish(ctx)
}

// binding is one run of Bind.
type binding struct {
	plan     *Plan
	dst      reflect.Value
	scan     scanner
	env      env
	html     string
	pills    []pill // not read yet while html is not empty
	next     int    // place in plan.positional of the parameter that gets the next word
	seen     uint64 // parameters with a value, by place in plan.params
	named    uint64 // those of them that were given by name
	verbatim bool   // "--" has been read: no more flags
	refused  fault  // why the word at refused.start was passed on to a later parameter
}

// fault is a word that a parameter did not take.
type fault struct {
	param      *param
	start, end int
	cause      *rejection
}

// words deals the input out, word by word.
func (b *binding) words(ctx context.Context) error {
	for b.scan.more() {
		if !b.verbatim {
			handled, err := b.flag(ctx)
			if err != nil {
				return err
			}
			if handled {
				continue
			}
		}
		place, ok := b.current()
		if !ok {
			return b.surplus()
		}
		p := &b.plan.params[place]
		if p.Rest {
			return b.rest(ctx, place, p)
		}
		before := b.scan
		failure, err := b.take(ctx, place, p)
		if err != nil {
			return err
		}
		if failure.cause == nil {
			continue
		}
		if !b.canPass(place, p) {
			return b.error(failure)
		}
		b.refused = failure
		b.scan = before
		b.next++
	}
	return nil
}

// current returns the positional parameter that gets the next word.
func (b *binding) current() (place int, ok bool) {
	for ; b.next < len(b.plan.positional); b.next++ {
		place = b.plan.positional[b.next]
		p := &b.plan.params[place]
		if b.named&(1<<place) != 0 {
			continue
		}
		if b.seen&(1<<place) == 0 {
			return place, true
		}
		if p.Repeated && (p.MaxLen < 0 || b.field(p).Len() < p.MaxLen) {
			return place, true
		}
	}
	return 0, false
}

// canPass reports whether a word that p refused may go to the next parameter.
func (b *binding) canPass(place int, p *param) bool {
	if p.last {
		return false
	}
	if b.seen&(1<<place) == 0 {
		return !p.Required
	}
	return p.MinLen <= 0 || b.field(p).Len() >= p.MinLen
}

func (b *binding) field(p *param) reflect.Value {
	if len(p.index) == 1 {
		return b.dst.Field(p.index[0])
	}
	return b.dst.FieldByIndex(p.index)
}

// rest gives all that is left to p.
func (b *binding) rest(ctx context.Context, place int, p *param) error {
	start := b.scan.pos
	text := strings.TrimSpace(b.scan.text[start:])
	b.scan.pos = len(b.scan.text)
	b.seen |= 1 << place
	err := p.assign(ctx, b.env, text, b.field(p))
	if err == nil {
		return nil
	}
	cause, err := b.rejected(p, err)
	if err != nil {
		return err
	}
	return b.error(fault{p, start, start + len(text), cause})
}

// take gives the next word, or the longer value that p knows how to read, to p. Behind the "=" of a flag the word may
// be empty. A fault with a cause says that p refused it; an error ends the run.
func (b *binding) take(ctx context.Context, place int, p *param) (fault, error) {
	text, start, end, pill, err := b.value(p)
	if err != nil {
		if cause, ok := errors.AsType[*rejection](err); ok {
			return fault{p, start, end, cause}, nil
		}
		return fault{}, err
	}
	if err = b.put(ctx, place, p, text); err != nil {
		cause, err := b.rejected(p, err)
		return fault{p, start, end, cause}, err
	}
	if pill >= 0 {
		b.dropPill(pill)
	}
	return fault{}, nil
}

// value finds the text for p at the scanner's place and moves the scanner behind it. pill is the place of the pill
// that it came from, or -1.
func (b *binding) value(p *param) (text string, start, end, pill int, err error) {
	start = b.scan.pos
	ahead := b.scan.text[start:]
	if p.mention && (b.html != "" || len(b.pills) > 0) {
		if i, n := b.pillAt(ahead); i >= 0 {
			b.scan.pos += n
			return b.pills[i].target, start, start + n, i, nil
		}
	}
	if p.span != nil && ahead != "" && !spaceOrEnd(ahead) {
		text, n, err := p.span(ahead)
		if err != nil {
			return "", start, start + wordLen(ahead), -1, err
		}
		if n > 0 && !spaceOrEnd(ahead[n:]) {
			err = &rejection{reason: "a space is needed after the " + string(p.kind)}
			return "", start + n, start + n + wordLen(ahead[n:]), -1, err
		}
		if n > 0 {
			if fault := b.scan.count(); fault != nil {
				return "", start, start, -1, fault
			}
			b.scan.pos += n
			return text, start, start + n, -1, nil
		}
	}
	w, fault := b.scan.next()
	if fault != nil {
		return "", start, start, -1, fault
	}
	return w.Text, w.Offset, w.End, -1, nil
}

// put converts text into p's field, or into a new element of it. Elements that do not convert are taken back.
func (b *binding) put(ctx context.Context, place int, p *param, text string) error {
	v := b.field(p)
	if !p.Repeated {
		err := p.assign(ctx, b.env, text, v)
		if err == nil {
			b.seen |= 1 << place
		}
		return err
	}
	if b.seen&(1<<place) == 0 {
		v.SetZero()
	}
	n := v.Len()
	if p.MaxLen >= 0 && n >= p.MaxLen {
		return &rejection{reason: "at most " + count(p.MaxLen, "value") + " allowed", err: ErrSurplus}
	}
	v.Grow(1)
	v.SetLen(n + 1)
	if err := p.assign(ctx, b.env, text, v.Index(n)); err != nil {
		v.SetLen(n)
		return err
	}
	b.seen |= 1 << place
	return nil
}

// finish sees to the parameters that got nothing, and to the number of values of the others.
func (b *binding) finish(ctx context.Context) error {
	for place := range b.plan.params {
		p := &b.plan.params[place]
		v := b.field(p)
		if b.seen&(1<<place) != 0 {
			if p.Repeated {
				if cause, ok := errors.AsType[*rejection](p.checkCount(v.Len())); ok {
					return b.error(fault{p, len(b.scan.text), len(b.scan.text), cause})
				}
			}
			continue
		}
		if p.Required {
			return b.missing(p)
		}
		v.SetZero()
		if !p.HasDefault {
			continue
		}
		err := p.setDefault(ctx, b.env, v)
		if cause, ok := errors.AsType[*rejection](err); ok {
			// A default that depends on the message, by a converter of one's own, does not hold for this one.
			return b.error(fault{p, len(b.scan.text), len(b.scan.text), cause})
		}
		if err != nil {
			return fmt.Errorf("arg: %s: default %q: %w", p.Field, p.Default, err)
		}
	}
	return nil
}

func (b *binding) missing(p *param) error {
	what := p.Kind.expects()
	if len(p.Choices) > 0 {
		what = "one of " + strings.Join(p.Choices, ", ")
	}
	name := ""
	if p.Flag {
		name = "--" + p.Name + " with "
	}
	n := len(b.scan.text)
	reason := "missing; expected " + name + what
	return &Error{Param: p.Name, Text: b.scan.text, Offset: n, End: n, Reason: reason, Err: ErrMissing}
}

// surplus blames the first word for which no parameter is left. Where a parameter refused that very word before, its
// reason says more.
func (b *binding) surplus() error {
	start := b.scan.pos
	if b.refused.cause != nil && b.refused.start == start {
		return b.error(b.refused)
	}
	w, err := b.scan.next()
	if err != nil {
		return err
	}
	reason := fmt.Sprintf("%s is one argument too many", show(w.Text))
	if len(b.plan.positional) > 0 {
		reason += "; put quotes around text with spaces"
	}
	return &Error{Text: b.scan.text, Offset: start, End: w.End, Reason: reason, Err: ErrSurplus}
}

// rejected sorts an error from a conversion: the user's fault, or trouble elsewhere.
func (b *binding) rejected(p *param, err error) (*rejection, error) {
	if cause, ok := errors.AsType[*rejection](err); ok {
		return &rejection{reason: cause.reason, err: err}, nil
	}
	return nil, fmt.Errorf("arg: %s: %w", p.Name, err)
}

func (b *binding) error(f fault) *Error {
	return &Error{Param: f.param.Name, Text: b.scan.text, Offset: f.start, End: f.end, Reason: f.cause.reason, Err: f.cause.err}
}
