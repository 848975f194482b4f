package arg

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Param describes one parameter for help pages and for the command description of MSC4391.
type Param struct {
	Name     string // without dashes
	Field    string // the Go field, such as "BanArgs.For"
	Help     string
	Kind     Kind         // of one value, where the parameter is repeated
	Type     reflect.Type // of the field
	Required bool
	Repeated bool // takes several words, or as a flag may be given several times
	Rest     bool // takes the rest of the text as it stands
	Flag     bool // has no place, only a name; every other parameter may be given by name too
	Short    rune // the letter of the short flag; 0 where there is none
	Default  string
	// HasDefault tells an empty default from none.
	HasDefault bool
	Choices    []string
	Min, Max   string // limits of the value as written in the tag; empty where there are none
	// MinLen and MaxLen limit the number of values where Repeated, else the number of characters; -1 means no limit.
	MinLen, MaxLen int
	Match          string // the regular expression that the text has to match as a whole; empty where there is none
}

// param is a parameter with all that binding needs.
type param struct {
	Param
	codec
	index   []int // for reflect.Value.FieldByIndex
	pointer bool
	match   *regexp.Regexp
	min     reflect.Value
	max     reflect.Value
	preset  reflect.Value // the default, where it can be copied
	last    bool          // no positional parameter follows
}

// bare reports whether the flag stands without a value.
func (p *param) bare() bool { return p.Flag && p.kind == KindBool && !p.Repeated }

// fixed reports whether a repeated parameter takes a number of words known beforehand.
func (p *param) fixed() bool { return p.MinLen > 0 && p.MinLen == p.MaxLen }

// takesAnything reports whether there is no word that the parameter refuses.
func (p *param) takesAnything() bool {
	limited := !p.Repeated && (p.MinLen > 0 || p.MaxLen >= 0)
	return p.kind == KindText && len(p.Choices) == 0 && p.match == nil && !limited
}

// assign converts one text and puts it into v, a field that is not repeated or an element of one that is.
func (p *param) assign(ctx context.Context, e env, text string, v reflect.Value) error {
	if p.pointer {
		target := reflect.New(v.Type().Elem())
		if err := p.convert(ctx, e, text, target.Elem()); err != nil {
			return err
		}
		v.Set(target)
		return nil
	}
	return p.convert(ctx, e, text, v)
}

func (p *param) convert(ctx context.Context, e env, text string, v reflect.Value) error {
	if len(p.Choices) > 0 {
		choice, err := p.choose(text)
		if err != nil {
			return err
		}
		text = choice
	}
	if p.match != nil && !p.match.MatchString(text) {
		return &rejection{reason: show(text) + " does not have the form " + p.Match}
	}
	if err := p.set(ctx, e, text, v); err != nil {
		return err
	}
	if p.min.IsValid() && p.compare(v, p.min) < 0 {
		return &rejection{reason: show(text) + " must be at least " + p.Min}
	}
	if p.max.IsValid() && p.compare(v, p.max) > 0 {
		return &rejection{reason: show(text) + " must be at most " + p.Max}
	}
	if p.measure != nil && !p.Repeated {
		return p.checkLen(text, p.measure(v))
	}
	return nil
}

func (p *param) checkLen(text string, n int) error {
	switch {
	case p.MinLen > 0 && n < p.MinLen:
		return &rejection{reason: fmt.Sprintf("%s must have at least %s", show(text), count(p.MinLen, "character"))}
	case p.MaxLen >= 0 && n > p.MaxLen:
		return &rejection{reason: fmt.Sprintf("%s must have at most %s", show(text), count(p.MaxLen, "character"))}
	}
	return nil
}

func (p *param) choose(text string) (string, error) {
	if i := slices.IndexFunc(p.Choices, func(c string) bool { return strings.EqualFold(c, text) }); i >= 0 {
		return p.Choices[i], nil
	}
	reason := show(text) + " is not one of " + strings.Join(p.Choices, ", ")
	if near, ok := Nearest(text, p.Choices); ok {
		reason += "; did you mean " + near + "?"
	}
	return "", &rejection{reason: reason}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
