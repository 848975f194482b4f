package syncjson_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/niobot/niobot/internal/syncjson"
)

func TestGet(t *testing.T) {
	const content = ` { "msgtype" : "m.text", "n":[ 1 , "a,]" ,{"x":[]}], "m.relates_to":{"event_id":"$\u0061","rel_type":null}, ` +
		`"twice":1,"twice":{"a":2},"":"empty","\"":"quote"} `
	for _, tt := range []struct{ path, want string }{
		{"msgtype", `"m.text"`},
		{"n", `[ 1 , "a,]" ,{"x":[]}]`},
		{"m.relates_to event_id", `"$\u0061"`},
		{"m.relates_to rel_type", `null`},
		{"m.relates_to none", ``},
		{"msgtype none", ``},
		{"n none", ``},
		{"twice", `{"a":2}`},
		{"twice a", `2`},
		{`"`, `"quote"`},
		{"none", ``},
	} {
		path := strings.Split(tt.path, " ")
		if got := syncjson.Get(content, path...); got != tt.want {
			t.Errorf("Get(%q) = %s, want %s", path, got, tt.want)
		}
		if got := syncjson.Get([]byte(content), path...); string(got) != tt.want {
			t.Errorf("Get(%q) = %s from bytes, want %s", path, got, tt.want)
		}
	}
	if got := syncjson.GetString(content, ""); got != "empty" {
		t.Errorf("GetString of the empty key is %q", got)
	}
	if got := syncjson.GetString(content, "n"); got != "" {
		t.Errorf("GetString of an array is %q", got)
	}
}

func TestElements(t *testing.T) {
	for _, tt := range []struct {
		array string
		want  []string
	}{
		{`[]`, nil},
		{` [ ] `, nil},
		{`{"a":1}`, nil},
		{`"[1]"`, nil},
		{`[1]`, []string{`1`}},
		{`[ "a,b" , [1,2],{"c":"]"} , null,-1.5e3 ]`, []string{`"a,b"`, `[1,2]`, `{"c":"]"}`, `null`, `-1.5e3`}},
	} {
		if got := slices.Collect(syncjson.Elements(tt.array)); !slices.Equal(got, tt.want) {
			t.Errorf("Elements(%s) = %q, want %q", tt.array, got, tt.want)
		}
	}
	for value := range syncjson.Elements(`[1,2,3]`) {
		if value == "2" {
			break
		}
	}
}

func TestInt(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  int64
		ok    bool
	}{
		{"0", 0, true},
		{"-12", -12, true},
		{"9223372036854775807", 9223372036854775807, true},
		{"9223372036854775808", 0, false},
		{"1e3", 1000, true},
		{"2.0", 2, true},
		{"2.5", 0, false},
		{"1e300", 0, false},
		{"1e999", 0, false},
		{`"1"`, 0, false},
		{"true", 0, false},
		{"null", 0, false},
		{"", 0, false},
	} {
		if got, ok := syncjson.Int(tt.value); got != tt.want || ok != tt.ok {
			t.Errorf("Int(%s) = %d, %t, want %d, %t", tt.value, got, ok, tt.want, tt.ok)
		}
	}
}

func TestString(t *testing.T) {
	for _, tt := range []struct {
		value, want string
		ok          bool
	}{
		{`""`, "", true},
		{`"a"`, "a", true},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true},
		{`"\u00e9\u20AC"`, "é€", true},
		{`"\ud83d\ude00"`, "😀", true},
		{`"\ud83d"`, "\ufffd", true},
		{`"\ud83dx"`, "\ufffdx", true},
		{`"\ud83d\u0061"`, "\ufffda", true},
		{`"\ude00\ud83d\ude00"`, "\ufffd😀", true},
		{`"\ud83d\n"`, "\ufffd\n", true},
		{`"\u12"`, "", false},
		{`"\uxyzw"`, "", false},
		{`"\x41"`, "", false},
		{`"a`, "", false},
		{`"a\"`, "", false},
		{`"a"b"`, "", false},
		{`"`, "", false},
		{`a`, "", false},
		{`null`, "", false},
		{``, "", false},
	} {
		got, ok := syncjson.String(tt.value)
		if got != tt.want || ok != tt.ok {
			t.Errorf("String(%s) = %q, %t, want %q, %t", tt.value, got, ok, tt.want, tt.ok)
		}
		appended, ok := syncjson.AppendString([]byte("before "), []byte(tt.value))
		if string(appended) != "before "+tt.want || ok != tt.ok {
			t.Errorf("AppendString(%s) = %q, %t", tt.value, appended, ok)
		}
	}
}

// members decodes a JSON object in order, duplicates included.
func members(raw []byte) (keys []string, values []json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return keys, values
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return keys, values
		}
		keys, values = append(keys, key.(string)), append(values, value)
	}
	return keys, values
}

// FuzzFields holds Fields, Elements and String against encoding/json, and all that they give inside the input.
func FuzzFields(f *testing.F) {
	for _, seed := range []string{
		fullEvent, `{"a":{"b":[1,2,{"c":"\"}"}]},"\u0061":null}`, `[1,"2",[3],{"4":5}]`, `"\ud83d\ude00\ud83d"`,
		`{"a":`, `{"a"}`, `{`, `[1,,2]`, `{"a":1 "b":2}`, ` { } `, `"\`, `[-1.5e+3,true]`, "{\"\xff\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var keys, elements []string
		var values []json.RawMessage
		for key, value := range syncjson.Fields(text) {
			if !strings.Contains(text, value) {
				t.Fatalf("value %q is not in the text", value)
			}
			keys, values = append(keys, key), append(values, json.RawMessage(value))
		}
		for value := range syncjson.Elements(text) {
			if !strings.Contains(text, value) {
				t.Fatalf("element %q is not in the text", value)
			}
			elements = append(elements, value)
		}
		content, ok := syncjson.String(text)
		syncjson.Parse(text)
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return
		}
		wantKeys, wantValues := members([]byte(text))
		if !slices.Equal(keys, wantKeys) || !slices.EqualFunc(values, wantValues, equalBytes) {
			t.Errorf("fields %q = %s, want %q = %s", keys, values, wantKeys, wantValues)
		}
		var array []json.RawMessage
		if json.Unmarshal([]byte(text), &array) != nil {
			array = nil
		}
		if !slices.EqualFunc(elements, array, func(a string, b json.RawMessage) bool { return a == string(b) }) {
			t.Errorf("elements %q, want %q", elements, array)
		}
		var want *string
		if trimmed := strings.Trim(text, " \r\n\t"); trimmed != text || json.Unmarshal([]byte(text), &want) != nil {
			want = nil
		}
		if ok != (want != nil) || ok && content != *want {
			t.Errorf("string %q, %t", content, ok)
		}
	})
}

func equalBytes(a, b json.RawMessage) bool { return bytes.Equal(a, b) }
