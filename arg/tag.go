package arg

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tag is what the tags of one field say.
type tag struct {
	name                     string
	long                     string
	short                    rune
	flag                     bool
	rest, optional, required bool
	skip, any                bool // any: at least one of our keys is there
	help                     setting
	def                      setting
	choices, match           setting
	min, max, length         setting
}

// setting is the value of a key that may be absent.
type setting struct {
	text string
	set  bool
}

// readTag reads all tags of a field and returns every mistake in them.
func readTag(f reflect.StructField) (tag, []error) {
	var t tag
	var faults []error
	keys, err := tagKeys(f.Tag)
	if err != nil {
		faults = append(faults, err)
	}
	places := map[string]*setting{
		"help": &t.help, "default": &t.def, "choices": &t.choices, "enum": &t.choices, "match": &t.match,
		"min": &t.min, "max": &t.max, "len": &t.length,
	}
	for _, key := range keys {
		value := f.Tag.Get(key)
		if key == "arg" {
			t.any = true
			faults = append(faults, t.readArg(value)...)
			continue
		}
		if place, ok := places[key]; ok {
			if place.set {
				faults = append(faults, errors.New("choices and enum are the same; give one"))
			}
			t.any = true
			*place = setting{text: value, set: true}
			continue
		}
		for _, known := range [...]string{"args", "choices", "default", "enum", "help", "match"} {
			if len(key) >= 4 && distance(key, known) <= 1 {
				faults = append(faults, fmt.Errorf("unknown tag %s; did you mean %s?", key, strings.Replace(known, "args", "arg", 1)))
			}
		}
	}
	if t.name == "" {
		t.name = kebab(f.Name)
	}
	if t.long != "" {
		t.name = t.long
	}
	if !validName(t.name) {
		faults = append(faults, fmt.Errorf("the name %q must be letters, digits, - and _, and begin with a letter", t.name))
	}
	return t, faults
}

// readArg reads the value of the arg key: a name or flags, then options.
func (t *tag) readArg(value string) []error {
	if value == "-" {
		t.skip = true
		return nil
	}
	var faults []error
	for i, part := range strings.Split(value, ",") {
		part = strings.TrimSpace(part)
		switch {
		case strings.HasPrefix(part, "--"):
			if t.long != "" {
				faults = append(faults, fmt.Errorf("two long flags, --%s and %s", t.long, part))
			}
			t.flag, t.long = true, part[2:]
			if t.long == "" {
				faults = append(faults, errors.New("-- without a name"))
			}
		case strings.HasPrefix(part, "-"):
			r, size := utf8.DecodeRuneInString(part[1:])
			if size == 0 || 1+size != len(part) || !unicode.IsLetter(r) {
				faults = append(faults, fmt.Errorf("a short flag is - and one letter, not %s", part))
			}
			if t.short != 0 {
				faults = append(faults, fmt.Errorf("two short flags, -%c and %s", t.short, part))
			}
			t.flag, t.short = true, r
		case i == 0:
			if isOption(part) {
				faults = append(faults, fmt.Errorf("%q is an option, not a name; write \",%[1]s\" to keep the field's name", part))
			}
			t.name = part
		case part == "rest":
			t.rest = true
		case part == "optional":
			t.optional = true
		case part == "required":
			t.required = true
		default:
			faults = append(faults, fmt.Errorf("unknown option %q; the options are rest, optional and required", part))
		}
	}
	if t.flag && t.name != "" {
		faults = append(faults, fmt.Errorf("%q is both a name and a flag; give one", t.name))
	}
	return faults
}

func isOption(s string) bool { return s == "rest" || s == "optional" || s == "required" }

// tagKeys lists the keys of a struct tag. Unlike [reflect.StructTag.Get] it does not pass over a tag that is malformed.
func tagKeys(st reflect.StructTag) ([]string, error) {
	var keys []string
	for rest := strings.TrimSpace(string(st)); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, ok := strings.Cut(rest, ":")
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil || key == "" || strings.ContainsFunc(key, unicode.IsSpace) || !strings.HasPrefix(after, `"`) {
			return keys, fmt.Errorf("malformed tag at %q; write key:\"value\" pairs with a space between", rest)
		}
		for _, seen := range keys {
			if seen == key {
				return keys, fmt.Errorf("the tag %s stands twice", key)
			}
		}
		keys = append(keys, key)
		rest = after[len(quoted):]
		if rest != "" && !spaceOrEnd(rest) {
			return keys, fmt.Errorf("malformed tag at %q; write key:\"value\" pairs with a space between", rest)
		}
	}
	return keys, nil
}

func validName(name string) bool {
	for i, r := range name {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && r != '-' && r != '_') {
			return false
		}
	}
	return name != ""
}

// kebab turns a Go name into an argument's: MaxAge into max-age, RoomID into room-id, HTMLBody into html-body.
func kebab(name string) string {
	runes := []rune(name)
	var out strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '_' {
			starts := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if starts || !unicode.IsUpper(runes[i-1]) {
				out.WriteByte('-')
			}
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
