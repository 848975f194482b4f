package render

import "strings"

// escapeURL percent-encodes the bytes of s that keep does not want as they are.
func escapeURL(s string, keep func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; keep(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// isURLByte says what may stand in a URL that is already one. Bytes beyond ASCII stay, so that addresses in other
// scripts can be read.
func isURLByte(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte("\"<>\\^`{|}", c) < 0
}

// isUnreserved says what needs no escape anywhere in a URL (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// escapeURLPart escapes an argument for the place behind before, which is the URL as far as it is known.
func escapeURLPart(before, arg string) string {
	scheme, rest, ok := strings.Cut(before, ":")
	switch {
	case before == "":
		return arg // the whole URL, or its beginning: allowedURL judges the result
	case !ok, strings.ContainsAny(rest, "?#"):
		return escapeURL(arg, isUnreserved)
	case scheme == "mailto":
		return escapeURL(arg, func(c byte) bool { return isUnreserved(c) || c == '@' || c == '+' })
	case strings.HasPrefix(rest, "//") && strings.Count(rest, "/") == 2:
		return escapeURL(arg, func(c byte) bool { return isUnreserved(c) || strings.IndexByte(":[]", c) >= 0 })
	default:
		return escapeURL(arg, func(c byte) bool { return isUnreserved(c) || strings.IndexByte(":@!$()*,=", c) >= 0 })
	}
}
