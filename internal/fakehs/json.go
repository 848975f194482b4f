package fakehs

import (
	"bytes"
	"encoding/json"
	"maps"
	"unicode/utf8"
)

// empty is the body of an endpoint that has nothing to say.
type empty struct{}

// checkObject returns an error unless body is one JSON object in UTF-8 that nests no deeper than maxDepth.
func checkObject(body []byte) error {
	if !utf8.Valid(body) {
		return notJSON("request body is not UTF-8")
	}
	if jsonDepth(body) > maxDepth {
		return badJSON("request body nests deeper than %d", maxDepth)
	}
	if !json.Valid(body) {
		return notJSON("request body is not JSON")
	}
	if body[0] != '{' {
		return badJSON("request body is not an object")
	}
	return nil
}

// jsonDepth returns how deep objects and arrays nest, without judging whether data is JSON.
func jsonDepth(data []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// skipString returns the index of the quote that ends the string which begins at i.
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return i
}

// checkCanonical returns an error if valid JSON holds a number that canonical JSON has no form for: events may only
// hold integers from -(2^53)+1 to (2^53)-1.
//
// https://spec.matrix.org/v1.15/appendices/#canonical-json
func checkCanonical(data []byte) error {
	for i := 0; i < len(data); i++ {
		switch ch := data[i]; {
		case ch == '"':
			i = skipString(data, i)
		case ch == '-' || ch >= '0' && ch <= '9':
			end := i + 1
			for end < len(data) && bytes.IndexByte([]byte("0123456789+-.eE"), data[end]) >= 0 {
				end++
			}
			var n int64
			const limit = 1<<53 - 1
			if json.Unmarshal(data[i:end], &n) != nil || n > limit || n < -limit {
				return badJSON("number %s is not an integer within 53 bits", data[i:end])
			}
			i = end - 1
		}
	}
	return nil
}

// compact strips the white space between the tokens of valid JSON.
func compact(data []byte) json.RawMessage {
	var buf bytes.Buffer
	buf.Grow(len(data))
	if err := json.Compact(&buf, data); err != nil {
		return json.RawMessage(bytes.Clone(data))
	}
	return buf.Bytes()
}

// mustEncode encodes a value that this package made, so that no error is possible.
func mustEncode(v any) json.RawMessage {
	data, err := encode(v)
	if err != nil {
		panic("fakehs: encode: " + err.Error())
	}
	return data
}

// fields decodes an object one level deep; what is not an object gives nil.
func fields(data json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	return m
}

// stringField returns the string at key of an object, or "".
func stringField(data json.RawMessage, key string) string {
	var text string
	if json.Unmarshal(fields(data)[key], &text) != nil {
		return ""
	}
	return text
}

// mergeJSON lays patch over base: objects are merged, arrays appended, all else replaced.
func mergeJSON(base, patch any) any {
	switch patch := patch.(type) {
	case map[string]any:
		old, _ := base.(map[string]any)
		merged := maps.Clone(old)
		if merged == nil {
			merged = make(map[string]any, len(patch))
		}
		for key, value := range patch {
			merged[key] = mergeJSON(merged[key], value)
		}
		return merged
	case []any:
		old, _ := base.([]any)
		return append(old[:len(old):len(old)], patch...)
	default:
		return patch
	}
}

// decodeAny decodes JSON without turning numbers into floats.
func decodeAny(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}
