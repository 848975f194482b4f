package arg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// MaxDepth is how deep objects and arrays may nest in a JSON argument.
const MaxDepth = 100

// jsonCodec serves json.RawMessage, any, and maps with string keys.
var jsonCodec = codec{kind: KindJSON, set: setJSON, span: spanJSON, pure: true}

func setJSON(_ context.Context, _ env, text string, v reflect.Value) error {
	if err := checkDepth(text); err != nil {
		return err
	}
	err := json.Unmarshal([]byte(text), v.Addr().Interface())
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		reason := "the JSON holds this where it does not fit: " + wrong.Value
		return &rejection{reason: reason, err: err}
	}
	if err != nil {
		return &rejection{reason: show(text) + " is not valid JSON", err: err}
	}
	return nil
}

func spanJSON(text string) (value string, length int, err error) {
	if err := checkDepth(text); err != nil {
		return "", 0, err
	}
	var raw json.RawMessage
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&raw); err != nil {
		return "", 0, &rejection{reason: show(text[:wordLen(text)]) + " does not begin a valid JSON value", err: err}
	}
	n := int(decoder.InputOffset())
	return text[:n], n, nil
}

// checkDepth counts the first value's brackets outside strings, so that no decoder has to recurse into foreign text without a bound.
func checkDepth(text string) error {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return &rejection{reason: fmt.Sprintf("the JSON nests deeper than %d levels", MaxDepth)}
			}
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return nil
			}
		case depth == 0 && (c == ' ' || c == '\n'):
			return nil
		}
	}
	return nil
}
