package syncjson

import (
	"iter"
	"math"
	"strconv"
)

// The functions of this file read JSON that has been validated before, such as [Event.Content]. They check no grammar.
// Text that is no JSON gives no panic, nothing outside of it, and otherwise no promise.

// Fields ranges over the members of a JSON object in their order: the key as text, the value as JSON. A key that
// occurs twice comes twice; encoding/json takes the last. Anything but an object has no fields. Ranging over it does
// not allocate unless a key holds an escape.
func Fields[T Text](obj T) iter.Seq2[T, T] {
	return func(yield func(key, value T) bool) {
		for at := begin(obj, '{'); at >= 0; {
			f := scanField(obj, at)
			if f.next < 0 {
				return
			}
			key, ok := keyOf(obj, &f)
			if ok && !yield(key, obj[f.start:f.end]) {
				return
			}
			at = f.next
		}
	}
}

// Elements ranges over the elements of a JSON array, each as JSON. Anything but an array has none.
func Elements[T Text](array T) iter.Seq[T] {
	return func(yield func(value T) bool) {
		for at := begin(array, '['); at >= 0; {
			at = skipSpace(array, at)
			end, _ := scanValue(array, at)
			if end < 0 || !yield(array[at:end]) {
				return
			}
			at = after(array, end)
		}
	}
}

// Get returns the JSON value under path, one key per object: Get(content, "m.relates_to", "event_id"). Of a key that
// occurs twice the last counts. The result is empty if there is no such value.
func Get[T Text](obj T, path ...string) T {
	for _, name := range path {
		var found T
		for key, value := range Fields(obj) {
			if string(key) == name {
				found = value
			}
		}
		obj = found
	}
	return obj
}

// GetString returns the text of the JSON string under path, or nothing if there is none or it is no string.
func GetString[T Text](obj T, path ...string) T {
	text, _ := String(Get(obj, path...))
	return text
}

// Int returns the JSON number value as an integer. Numbers such as 1.5e3 and 2.0 count as long as they are whole and
// within ±2^53. ok is false for all else, strings with digits included.
func Int[T Text](value T) (n int64, ok bool) {
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// IsObject reports whether the JSON value is an object.
func IsObject[T Text](value T) bool { return len(value) > 0 && value[0] == '{' }

// IsNull reports whether the JSON value is null or is missing.
func IsNull[T Text](value T) bool { return len(value) == 0 || value[0] == 'n' }

// field is where one member of an object lies.
type field struct {
	keyStart, keyEnd int // without the quotes
	start, end       int // the value
	next             int // where the next member begins; negative if this is none
	depth            int // how deep the value nests; 0 for a scalar
	plain            bool
}

// keyOf returns the key of f as text; ok is false if its escapes are broken.
func keyOf[T Text](obj T, f *field) (key T, ok bool) {
	if f.plain {
		return obj[f.keyStart:f.keyEnd], true
	}
	return String(obj[f.keyStart-1 : f.keyEnd+1])
}

// scanField finds the member of an object that begins at or after s[at:].
func scanField[T Text](s T, at int) (f field) {
	f.next = -1
	at = skipSpace(s, at)
	if at >= len(s) || s[at] != '"' {
		return f
	}
	f.keyStart = at + 1
	at, f.plain = scanString(s, at)
	if at < 0 {
		return f
	}
	f.keyEnd = at - 1
	at = skipSpace(s, at)
	if at >= len(s) || s[at] != ':' {
		return f
	}
	f.start = skipSpace(s, at+1)
	f.end, f.depth = scanValue(s, f.start)
	if f.end < 0 {
		return f
	}
	if f.next = after(s, f.end); f.next < 0 {
		f.next = len(s)
	}
	return f
}

// begin returns the position behind the bracket that opens s, or -1 if s opens otherwise.
func begin[T Text](s T, bracket byte) int {
	if at := skipSpace(s, 0); at < len(s) && s[at] == bracket {
		return at + 1
	}
	return -1
}

// after returns the position behind the comma that follows s[:at], or -1 if none does.
func after[T Text](s T, at int) int {
	if at = skipSpace(s, at); at < len(s) && s[at] == ',' {
		return at + 1
	}
	return -1
}

func skipSpace[T Text](s T, at int) int {
	for at < len(s) && (s[at] == ' ' || s[at] == '\n' || s[at] == '\r' || s[at] == '\t') {
		at++
	}
	return at
}

// scanValue returns the end of the value at s[at:] and how deep it nests. The end is negative if there is no value.
func scanValue[T Text](s T, at int) (end, depth int) {
	if at >= len(s) {
		return -1, 0
	}
	switch s[at] {
	case '"':
		end, _ = scanString(s, at)
		return end, 0
	case '{', '[':
		return scanNested(s, at)
	}
	start := at
	for at < len(s) {
		switch s[at] {
		case ',', ']', '}', ':', ' ', '\n', '\r', '\t', '"', '{', '[':
			if at == start {
				return -1, 0
			}
			return at, 0
		}
		at++
	}
	return at, 0
}

// scanNested returns the end of the object or array at s[at:] and how deep it nests, itself included.
func scanNested[T Text](s T, at int) (end, depth int) {
	open := 0
	for at < len(s) {
		switch s[at] {
		case '"':
			if at, _ = scanString(s, at); at < 0 {
				return -1, 0
			}
			continue
		case '{', '[':
			open++
			depth = max(depth, open)
		case '}', ']':
			if open--; open == 0 {
				return at + 1, depth
			}
		}
		at++
	}
	return -1, 0
}

// scanString returns the end of the string whose opening quote is s[at], or a negative number if it does not end, and
// whether it is plain: without escapes.
func scanString[T Text](s T, at int) (end int, plain bool) {
	plain = true
	for at++; at < len(s); at++ {
		switch s[at] {
		case '"':
			return at + 1, plain
		case '\\':
			plain = false
			at++
		}
	}
	return -1, false
}
