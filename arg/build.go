package arg

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"
)

// builder collects the parameters of a struct and all that is wrong with them.
type builder struct {
	own    map[reflect.Type]codec
	params []param
	faults []error
}

func (b *builder) fault(err error) { b.faults = append(b.faults, err) }

func (b *builder) faultAt(field string, err error) { b.fault(fmt.Errorf("arg: %s: %w", field, err)) }

// walk adds the fields of t, and those of structs embedded in it.
func (b *builder) walk(t reflect.Type, path string, index []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		field := path + "." + f.Name
		place := append(slices.Clone(index), i)
		tag, faults := readTag(f)
		if tag.skip {
			continue
		}
		if f.Anonymous && !tag.any && f.Type.Kind() == reflect.Struct {
			if _, isValue := b.codec(f.Type); !isValue {
				b.walk(f.Type, field, place)
				continue
			}
		}
		if f.Anonymous && !tag.any && f.Type.Kind() == reflect.Pointer {
			b.faultAt(field, fmt.Errorf("embed %s itself, not a pointer to it", f.Type.Elem()))
			continue
		}
		if !f.IsExported() {
			if tag.any {
				b.faultAt(field, errors.New("an unexported field cannot be an argument"))
			}
			continue
		}
		p := b.param(f.Type, tag, field, place, &faults)
		b.params = append(b.params, p)
		for _, err := range faults {
			b.faultAt(field, err)
		}
	}
}

// param makes the parameter of one field.
func (b *builder) param(t reflect.Type, tag tag, field string, index []int, faults *[]error) param {
	fault := func(format string, args ...any) { *faults = append(*faults, fmt.Errorf(format, args...)) }
	p := param{index: index, Param: Param{
		Name: tag.name, Field: field, Help: tag.help.text, Type: t, Rest: tag.rest, Flag: tag.flag, Short: tag.short,
		Default: tag.def.text, HasDefault: tag.def.set, MinLen: -1, MaxLen: -1,
	}}
	element, ok := b.shape(&p, t)
	if !ok {
		fault("%s", unsupported(t))
		return p
	}
	p.Kind = p.kind
	if p.def.set && !tag.def.set && !tag.optional && !tag.required && !p.Repeated && !p.Flag {
		tag.def = p.def
		p.Default, p.HasDefault = tag.def.text, true
	}
	b.require(&p, tag, fault)
	if p.Rest {
		b.checkRest(&p, fault)
	}
	b.limits(&p, tag, element, fault)
	if len(*faults) == 0 && tag.def.set {
		b.preset(&p, fault)
	}
	return p
}

// shape tells plain, pointer and repeated fields apart and finds the codec. It returns the type that the codec makes.
func (b *builder) shape(p *param, t reflect.Type) (reflect.Type, bool) {
	var ok bool
	if p.codec, ok = b.codec(t); ok {
		return t, true
	}
	switch t.Kind() {
	case reflect.Pointer:
		p.pointer = true
	case reflect.Slice:
		p.Repeated = true
		if t.Elem().Kind() == reflect.Uint8 {
			return t, false
		}
	default:
		return t, false
	}
	p.codec, ok = b.codec(t.Elem())
	return t.Elem(), ok
}

func unsupported(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return fmt.Sprintf("the type %s is not supported; use string or json.RawMessage", t)
	case t.Kind() == reflect.Struct:
		return fmt.Sprintf("the type %s is not supported; embed it, give it UnmarshalText, or use With", t)
	default:
		return fmt.Sprintf("the type %s is not supported; give it UnmarshalText or use With", t)
	}
}

// require settles whether the parameter may be left out.
func (b *builder) require(p *param, tag tag, fault func(string, ...any)) {
	switch {
	case tag.optional && tag.required:
		fault("both optional and required")
	case tag.required && tag.def.set:
		fault("required, but has a default")
	case tag.required && p.bare():
		fault("a yes-or-no flag cannot be required")
	}
	p.Required = tag.required || !p.Flag && !tag.optional && !tag.def.set && !p.pointer
}

func (b *builder) checkRest(p *param, fault func(string, ...any)) {
	switch {
	case p.Flag:
		fault("a flag cannot take the rest")
	case p.Repeated:
		fault("a slice cannot take the rest; use string, or leave out rest")
	case p.mention, p.kind == KindURL, p.kind == KindServer, p.kind == KindMedia,
		p.kind == KindBool, p.kind == KindInteger, p.kind == KindNumber, p.kind == KindDuration:
		fault("rest makes no sense for a %s", p.kind)
	}
}

// limits reads choices, min, max, len and match.
func (b *builder) limits(p *param, tag tag, element reflect.Type, fault func(string, ...any)) {
	if tag.choices.set {
		b.choices(p, tag.choices.text, element, fault)
	}
	if tag.match.set {
		re, err := regexp.Compile(`^(?:` + tag.match.text + `)$`)
		switch {
		case err != nil:
			fault("match %q: not a regular expression: %w", tag.match.text, err)
		case p.kind != KindText:
			fault("match makes no sense for a %s", p.kind)
		}
		p.match, p.Match = re, tag.match.text
	}
	for _, bound := range []struct {
		name   string
		from   setting
		to     *reflect.Value
		toText *string
	}{{"min", tag.min, &p.min, &p.Min}, {"max", tag.max, &p.max, &p.Max}} {
		if !bound.from.set {
			continue
		}
		if p.compare == nil {
			hint := ""
			if p.measure != nil || p.Repeated {
				hint = "; use len"
			}
			fault("%s makes no sense for a %s%s", bound.name, p.kind, hint)
			continue
		}
		v := reflect.New(element).Elem()
		if err := p.set(context.Background(), env{}, bound.from.text, v); err != nil {
			fault("%s %q: %w", bound.name, bound.from.text, err)
			continue
		}
		*bound.to, *bound.toText = v, bound.from.text
	}
	if p.min.IsValid() && p.max.IsValid() && p.compare(p.min, p.max) > 0 {
		fault("min %s is above max %s", p.Min, p.Max)
	}
	if tag.length.set {
		b.length(p, tag, fault)
	}
}

func (b *builder) choices(p *param, list string, element reflect.Type, fault func(string, ...any)) {
	for choice := range strings.SplitSeq(list, ",") {
		choice = strings.TrimSpace(choice)
		switch {
		case choice == "":
			fault("choices %q: an empty choice", list)
			continue
		case slices.ContainsFunc(p.Choices, func(c string) bool { return strings.EqualFold(c, choice) }):
			fault("choices %q: %s stands twice", list, choice)
		case p.bare():
			fault("choices make no sense for a yes-or-no flag")
		case p.pure:
			err := p.set(context.Background(), planEnv, choice, reflect.New(element).Elem())
			if err != nil {
				fault("choices %q: %w", list, err)
			}
		}
		p.Choices = append(p.Choices, choice)
	}
}

// length reads "2..5", "2..", "..5" or "3".
func (b *builder) length(p *param, tag tag, fault func(string, ...any)) {
	text := tag.length.text
	if p.measure == nil && !p.Repeated {
		fault("len makes no sense for a %s", p.kind)
		return
	}
	low, high, ok := strings.Cut(text, "..")
	if !ok {
		high = low
	}
	for _, bound := range []struct {
		text string
		to   *int
	}{{low, &p.MinLen}, {high, &p.MaxLen}} {
		if bound.text == "" {
			continue
		}
		n, err := strconv.Atoi(bound.text)
		if err != nil || n < 0 {
			fault("len %q: not of the form 2..5", text)
			return
		}
		*bound.to = n
	}
	switch {
	case low == "" && high == "":
		fault("len %q: not of the form 2..5", text)
	case p.MaxLen >= 0 && p.MinLen > p.MaxLen:
		fault("len %q: the first number is above the second", text)
	case p.MaxLen == 0:
		fault("len %q: leaves room for nothing", text)
	}
	if p.Repeated && p.MinLen == 0 && !tag.required {
		p.Required = false
	}
}

// preset converts the default once to see that it works, and keeps the result where it can be copied.
func (b *builder) preset(p *param, fault func(string, ...any)) {
	if p.Repeated {
		if _, err := Split(p.Default); err != nil {
			fault("default %q: %w", p.Default, err)
			return
		}
	}
	if !p.pure {
		return
	}
	v := reflect.New(p.Type).Elem()
	if err := p.setDefault(context.Background(), planEnv, v); err != nil {
		fault("default %q: %w", p.Default, err)
		return
	}
	if p.value && !p.pointer && !p.Repeated {
		p.preset = v
	}
}

// planEnv stands in for a server while defaults are checked.
var planEnv = env{resolver: ResolverFunc(func(context.Context, id.RoomAlias) (id.RoomID, error) {
	return "!unknown", nil
})}

// setDefault converts the default into the field v.
func (p *param) setDefault(ctx context.Context, e env, v reflect.Value) error {
	if p.preset.IsValid() {
		v.Set(p.preset)
		return nil
	}
	if !p.Repeated {
		return p.assign(ctx, e, p.Default, v)
	}
	words, err := Split(p.Default)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(words), len(words)))
	for i, w := range words {
		if err := p.assign(ctx, e, w.Text, v.Index(i)); err != nil {
			return err
		}
	}
	return p.checkCount(len(words))
}

// checkCount checks the number of values of a repeated parameter.
func (p *param) checkCount(n int) error {
	switch {
	case p.MinLen > 0 && n < p.MinLen:
		return &rejection{reason: fmt.Sprintf("at least %s needed, got %d", count(p.MinLen, "value"), n), err: ErrMissing}
	case p.MaxLen >= 0 && n > p.MaxLen:
		return &rejection{reason: fmt.Sprintf("at most %s allowed, got %d", count(p.MaxLen, "value"), n), err: ErrSurplus}
	}
	return nil
}
