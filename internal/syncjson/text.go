package syncjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Text is JSON text as bytes or as a string. What is cut out of it shares its memory.
type Text interface{ ~string | ~[]byte }

// String returns the text that the JSON string value stands for. It shares the memory of value unless value holds an
// escape, in which case the result is new. Lone surrogates become U+FFFD, as in encoding/json. ok is false if value is
// anything but a JSON string.
func String[T Text](value T) (text T, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return text, false
	}
	end, plain := scanString(value, 0)
	if end != len(value) {
		return text, false
	}
	if plain {
		return value[1 : len(value)-1], true
	}
	buf, ok := AppendString(make([]byte, 0, len(value)), value)
	if !ok {
		return text, false
	}
	return T(buf), true
}

// AppendString appends to dst the text that the JSON string value stands for, by the rules of [String]. If ok is false,
// dst is returned as it was.
func AppendString[T Text](dst []byte, value T) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return dst, false
	}
	if end, _ := scanString(value, 0); end != len(value) {
		return dst, false
	}
	return appendUnescaped(dst, value[1:len(value)-1])
}

// appendUnescaped appends s, the inside of a JSON string, without its escapes.
func appendUnescaped[T Text](dst []byte, s T) ([]byte, bool) {
	start := len(dst)
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		if i+1 >= len(s) {
			return dst[:start], false
		}
		c := s[i+1]
		i += 2
		switch c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s, i)
			if !ok {
				return dst[:start], false
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if i+1 < len(s) && s[i] == '\\' && s[i+1] == 'u' {
					low, ok = hex4(s, i+2)
				}
				r = utf16.DecodeRune(r, low)
				if ok && r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst[:start], false
		}
	}
	return dst, true
}

// hex4 reads the four hexadecimal digits of an escape at s[i:].
func hex4[T Text](s T, i int) (r rune, ok bool) {
	if len(s)-i < 4 {
		return 0, false
	}
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendValid appends s with each byte that is no UTF-8 replaced by U+FFFD, as encoding/json does.
func appendValid(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
	return dst
}
