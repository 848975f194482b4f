package arg

import (
	"context"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

// special holds the types that are more than their kind.
var special = map[reflect.Type]codec{
	reflect.TypeFor[time.Duration]():       {kind: KindDuration, set: setDuration, compare: compareInt, pure: true, value: true},
	reflect.TypeFor[time.Time]():           timeCodec,
	reflect.TypeFor[*url.URL]():            {kind: KindURL, set: setURL, pure: true},
	reflect.TypeFor[url.URL]():             {kind: KindURL, set: setURLValue, pure: true},
	reflect.TypeFor[json.RawMessage]():     jsonCodec,
	reflect.TypeFor[any]():                 jsonCodec,
	reflect.TypeFor[CodeBlock]():           {kind: KindCode, set: setCode, span: spanCode, pure: true, value: true},
	reflect.TypeFor[Link]():                mention(KindLink, setLink),
	reflect.TypeFor[ServerName]():          {kind: KindServer, set: setServer, pure: true, value: true},
	reflect.TypeFor[id.UserID]():           mention(KindUser, setUser),
	reflect.TypeFor[id.RoomID]():           mention(KindRoom, setRoom),
	reflect.TypeFor[id.RoomAlias]():        mention(KindAlias, setAlias),
	reflect.TypeFor[id.EventID]():          mention(KindEvent, setEvent),
	reflect.TypeFor[id.ContentURI]():       {kind: KindMedia, set: setMedia, pure: true, value: true},
	reflect.TypeFor[id.ContentURIString](): {kind: KindMedia, set: setMediaText, pure: true, value: true},
}

// mention is the codec of a type that pills and links stand for. Its defaults are converted anew each time, since what
// an alias points to can change.
func mention(kind Kind, set setter) codec {
	return codec{kind: kind, set: set, span: spanMention, pure: true, mention: true}
}

func setURL(_ context.Context, _ env, text string, v reflect.Value) error {
	u, err := readURL(text)
	if err == nil {
		v.Set(reflect.ValueOf(u))
	}
	return err
}

func setURLValue(_ context.Context, _ env, text string, v reflect.Value) error {
	u, err := readURL(text)
	if err == nil {
		v.Set(reflect.ValueOf(u).Elem())
	}
	return err
}

func readURL(text string) (*url.URL, error) {
	u, err := url.Parse(unbracket(text))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, rejectKind(text, KindURL, err)
	}
	return u, nil
}

// unbracket takes off the angle brackets by which Markdown marks a link.
func unbracket(text string) string {
	if inner, ok := strings.CutPrefix(text, "<"); ok {
		if inner, ok = strings.CutSuffix(inner, ">"); ok {
			return inner
		}
	}
	return text
}
