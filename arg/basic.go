package arg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// basic returns the codec of a type by its kind, so that named types work as their underlying ones do.
func basic(t reflect.Type) (codec, bool) {
	c := codec{pure: true, value: true}
	switch t.Kind() {
	case reflect.String:
		c.kind, c.set, c.measure = KindText, setText, measureText
	case reflect.Bool:
		c.kind, c.set = KindBool, setBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.kind, c.set, c.compare = KindInteger, setInt, compareInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		c.kind, c.set, c.compare = KindInteger, setUint, compareUint
	case reflect.Float32, reflect.Float64:
		c.kind, c.set, c.compare = KindNumber, setFloat, compareFloat
	case reflect.Map:
		return jsonCodec, t.Key().Kind() == reflect.String
	default:
		return codec{}, false
	}
	return c, true
}

func setText(_ context.Context, _ env, text string, v reflect.Value) error {
	v.SetString(text)
	return nil
}

func measureText(v reflect.Value) int { return utf8.RuneCountInString(v.String()) }

func setBool(_ context.Context, _ env, text string, v reflect.Value) error {
	b, ok := readBool(text)
	if !ok {
		return rejectKind(text, KindBool, nil)
	}
	v.SetBool(b)
	return nil
}

func readBool(text string) (value, ok bool) {
	for _, yes := range [...]string{"yes", "y", "true", "on", "1"} {
		if strings.EqualFold(text, yes) {
			return true, true
		}
	}
	for _, no := range [...]string{"no", "n", "false", "off", "0"} {
		if strings.EqualFold(text, no) {
			return false, true
		}
	}
	return false, false
}

func setInt(_ context.Context, _ env, text string, v reflect.Value) error {
	bits := v.Type().Bits()
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		low, high := int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits)
		return rejectInteger(text, err, strconv.FormatInt(low, 10), strconv.FormatInt(high, 10))
	}
	v.SetInt(n)
	return nil
}

func setUint(_ context.Context, _ env, text string, v reflect.Value) error {
	bits := v.Type().Bits()
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, bits)
	if err != nil {
		if _, negative := strconv.ParseInt(text, 10, 64); negative == nil {
			err = strconv.ErrRange
		}
		high := uint64(math.MaxUint64) >> (64 - bits)
		return rejectInteger(text, err, "0", strconv.FormatUint(high, 10))
	}
	v.SetUint(n)
	return nil
}

func rejectInteger(text string, err error, low, high string) error {
	if errors.Is(err, strconv.ErrRange) {
		return &rejection{reason: fmt.Sprintf("%s is not between %s and %s", show(text), low, high)}
	}
	return rejectKind(text, KindInteger, nil)
}

func setFloat(_ context.Context, _ env, text string, v reflect.Value) error {
	f, err := strconv.ParseFloat(text, v.Type().Bits())
	switch {
	case errors.Is(err, strconv.ErrRange):
		return &rejection{reason: show(text) + " is too large a number"}
	case err != nil, math.IsNaN(f), math.IsInf(f, 0), strings.ContainsAny(text, "xX_"):
		return rejectKind(text, KindNumber, nil)
	}
	v.SetFloat(f)
	return nil
}

func compareInt(a, b reflect.Value) int   { return cmp.Compare(a.Int(), b.Int()) }
func compareUint(a, b reflect.Value) int  { return cmp.Compare(a.Uint(), b.Uint()) }
func compareFloat(a, b reflect.Value) int { return cmp.Compare(a.Float(), b.Float()) }
