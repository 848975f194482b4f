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
	reflect.TypeFor[time.Time]():           {kind: KindTime, set: setTime, span: spanTime, compare: compareTime, pure: true, value: true},
	reflect.TypeFor[*url.URL]():            {kind: KindURL, set: setURL, pure: true},
	reflect.TypeFor[url.URL]():             {kind: KindURL, set: setURLValue, pure: true},
	reflect.TypeFor[json.RawMessage]():     jsonCodec,
	reflect.TypeFor[any]():                 jsonCodec,
	reflect.TypeFor[CodeBlock]():           {kind: KindCode, set: setCode, span: spanCode, pure: true, value: true},
	reflect.TypeFor[Link]():                {kind: KindLink, set: setLink, span: spanMention, pure: true, mention: true},
	reflect.TypeFor[ServerName]():          {kind: KindServer, set: setServer, pure: true, value: true},
	reflect.TypeFor[id.UserID]():           {kind: KindUser, set: setUser, span: spanMention, pure: true, value: true, mention: true},
	reflect.TypeFor[id.RoomID]():           {kind: KindRoom, set: setRoom, span: spanMention, pure: true, mention: true},
	reflect.TypeFor[id.RoomAlias]():        {kind: KindAlias, set: setAlias, span: spanMention, pure: true, value: true, mention: true},
	reflect.TypeFor[id.EventID]():          {kind: KindEvent, set: setEvent, span: spanMention, pure: true, value: true, mention: true},
	reflect.TypeFor[id.ContentURIString](): {kind: KindMedia, set: setMediaText, pure: true, value: true},
	reflect.TypeFor[id.ContentURI]():       {kind: KindMedia, set: setMedia, pure: true, value: true},
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
