package arg_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

func TestBindUserID(t *testing.T) {
	const not = " is not a user id like @name:example.org"
	long := "@" + strings.Repeat("a", 250) + ":hs.org"
	runType(t, []row[id.UserID]{
		{input: "@a:hs", want: "@a:hs"},
		{input: "@a:hs.example.org:8448", want: "@a:hs.example.org:8448"},
		{input: "@a.b=c/d+e_f-g:hs", want: "@a.b=c/d+e_f-g:hs"},
		{input: "@UPPER:hs", want: "@UPPER:hs"},
		{input: "@ünï:hs", want: "@ünï:hs"},
		{input: "@a:[::1]", want: "@a:[::1]"},
		{input: "@a:[2001:db8::1]:443", want: "@a:[2001:db8::1]:443"},
		{input: "@a:127.0.0.1", want: "@a:127.0.0.1"},
		{input: "https://matrix.to/#/@a:hs", want: "@a:hs"},
		{input: "https://matrix.to/#/%40a%3Ahs", want: "@a:hs"},
		{input: "<https://matrix.to/#/@a:hs>", want: "@a:hs"},
		{input: "matrix:u/a:hs", want: "@a:hs"},
		{input: "matrix:u/a:hs?action=chat", want: "@a:hs"},
		{input: "[Alice](https://matrix.to/#/@a:hs)", want: "@a:hs"},
		{input: "[Alice Smith](https://matrix.to/#/@a:hs)", want: "@a:hs"},
		{input: "[A](<https://matrix.to/#/@a:hs>)", want: "@a:hs"},
		{input: "[A](https://example.org)", wantErr: `"[A](https://example.org)"` + not},
		{input: "a", wantErr: `"a"` + not},
		{input: "@", wantErr: `"@"` + not},
		{input: "@a", wantErr: `"@a"` + not},
		{input: "@:hs", wantErr: `"@:hs"` + not},
		{input: "@a:", wantErr: `"@a:"` + not},
		{input: "@a:h_s", wantErr: `"@a:h_s"` + not},
		{input: "@a:hs:port", wantErr: `"@a:hs:port"` + not},
		{input: "@a:hs:99999", wantErr: `"@a:hs:99999"` + not},
		{input: "@a:hs/b", wantErr: `"@a:hs/b"` + not},
		{input: long, wantErr: `"` + long[:39] + `…"` + not},
		{input: "#a:hs", wantErr: `"#a:hs"` + not},
		{input: "!a:hs", wantErr: `"!a:hs"` + not},
		{input: "https://matrix.to/#/!a:hs", wantErr: `"https://matrix.to/#/!a:hs"` + not},
		{input: "https://example.org/#/@a:hs", wantErr: `"https://example.org/#/@a:hs"` + not},
	})
}

func TestBindRoomID(t *testing.T) {
	type in struct{ Room id.RoomID }
	const not = " is not a room id or alias like #room:example.org"
	broken := errors.New("connection refused")
	resolver := arg.ResolverFunc(func(_ context.Context, alias id.RoomAlias) (id.RoomID, error) {
		switch alias {
		case "#known:hs":
			return "!known", nil
		case "#gone:hs":
			return "", arg.Reject("there is no room %s", alias)
		}
		return "", broken
	})
	tests := []struct {
		input   string
		want    id.RoomID
		wantErr string
	}{
		{input: "!a:hs", want: "!a:hs"},
		{input: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", want: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"}, // room version 12
		{input: "#known:hs", want: "!known"},
		{input: "https://matrix.to/#/!a:hs?via=hs&via=other", want: "!a:hs"}, // nio-bot 52
		{input: "https://matrix.to/#/%21a%3Ahs", want: "!a:hs"},
		{input: "https://matrix.to/#/#known:hs", want: "!known"},
		{input: "https://matrix.to/#/%23known:hs?via=hs", want: "!known"},
		{input: "matrix:roomid/a:hs?via=hs", want: "!a:hs"},
		{input: "matrix:r/known:hs", want: "!known"},
		{input: "[#known](https://matrix.to/#/#known:hs)", want: "!known"},
		{input: "#gone:hs", wantErr: "room: there is no room #gone:hs"},
		{input: "room", wantErr: `room: "room"` + not},
		{input: "!", wantErr: `room: "!"` + not},
		{input: "!a:", wantErr: `room: "!a:"` + not},
		{input: "#a", wantErr: `room: "#a"` + not},
		{input: "@a:hs", wantErr: `room: "@a:hs"` + not},
		{input: "https://matrix.to/#/!a:hs/$e", wantErr: `room: "https://matrix.to/#/!a:hs/$e"` + not},
	}
	p := mustPlan[in](t)
	for _, tt := range tests {
		var got in
		err := p.Bind(t.Context(), arg.Input{Text: tt.input, Resolver: resolver}, &got)
		if tt.wantErr != "" {
			checkError(t, err, tt.input, tt.wantErr, tt.input)
		} else if err != nil || got.Room != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.input, got.Room, err, tt.want)
		}
	}

	var got in
	err := p.Bind(t.Context(), arg.Input{Text: "#other:hs", Resolver: resolver}, &got)
	if _, isArg := errors.AsType[*arg.Error](err); isArg || !errors.Is(err, broken) || err.Error() != "arg: room: connection refused" {
		t.Errorf("a resolver that fails: got %v", err)
	}
	err = p.Bind(t.Context(), arg.Input{Text: "#known:hs"}, &got)
	if _, isArg := errors.AsType[*arg.Error](err); isArg || !errors.Is(err, arg.ErrNoResolver) {
		t.Errorf("without a resolver: got %v", err)
	}
}

func TestBindRoomAlias(t *testing.T) {
	const not = " is not a room alias like #room:example.org"
	runType(t, []row[id.RoomAlias]{
		{input: "#a:hs", want: "#a:hs"},
		{input: "#ä/b?c:hs", want: "#ä/b?c:hs"},
		{input: "https://matrix.to/#/#a:hs", want: "#a:hs"},
		{input: "https://matrix.to/#/%23a%2Fb%3Fc:hs", want: "#a/b?c:hs"},
		{input: "matrix:r/a:hs", want: "#a:hs"},
		{input: "matrix:room/a:hs", want: "#a:hs"},
		{input: "a", wantErr: `"a"` + not},
		{input: "#a", wantErr: `"#a"` + not},
		{input: "!a:hs", wantErr: `"!a:hs"` + not},
		{input: "matrix:roomid/a:hs", wantErr: `"matrix:roomid/a:hs"` + not},
	})
}

func TestBindEventID(t *testing.T) {
	const not = " is not an event id or a link to a message"
	runType(t, []row[id.EventID]{
		{input: "$abc", want: "$abc"},
		{input: "$abc:hs", want: "$abc:hs"},
		{input: "$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk", want: "$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk"},
		{input: "https://matrix.to/#/!a:hs/$e?via=hs", want: "$e"},
		{input: "https://matrix.to/#/!a:hs/%24e%2Ff", want: "$e/f"},
		{input: "https://matrix.to/#/!a:hs/$e/f", want: "$e/f"},
		{input: "https://matrix.to/#/#a:hs/$e", want: "$e"},
		{input: "matrix:roomid/a:hs/e/e1?via=hs", want: "$e1"},
		{input: "matrix:r/a:hs/event/e1", want: "$e1"},
		{input: "$", wantErr: `"$"` + not},
		{input: "abc", wantErr: `"abc"` + not},
		{input: "!a:hs", wantErr: `"!a:hs"` + not},
		{input: "https://matrix.to/#/!a:hs", wantErr: `"https://matrix.to/#/!a:hs"` + not}, // nio-bot 52
		{input: "https://matrix.to/#/!a:hs/$", wantErr: `"https://matrix.to/#/!a:hs/$"` + not},
	})
}

func TestBindServerName(t *testing.T) {
	const not = " is not a server name like example.org"
	runType(t, []row[arg.ServerName]{
		{input: "example.org", want: "example.org"},
		{input: "localhost:8008", want: "localhost:8008"},
		{input: "10.0.0.1", want: "10.0.0.1"},
		{input: "[::1]:8448", want: "[::1]:8448"},
		{input: "[::1]", want: "[::1]"},
		{input: `""`, wantErr: `""` + not},
		{input: "a_b", wantErr: `"a_b"` + not},
		{input: "a:", wantErr: `"a:"` + not},
		{input: "a:0", wantErr: `"a:0"` + not},
		{input: "a:65536", wantErr: `"a:65536"` + not},
		{input: "a:000001", wantErr: `"a:000001"` + not},
		{input: "a:+1", wantErr: `"a:+1"` + not},
		{input: "::1", wantErr: `"::1"` + not},
		{input: "[::1", wantErr: `"[::1"` + not},
		{input: "[fe80::1%eth0]", wantErr: `"[fe80::1%eth0]"` + not},
		{input: "[127.0.0.1]", wantErr: `"[127.0.0.1]"` + not},
		{input: "https://a", wantErr: `"https://a"` + not},
		{input: "münchen.de", wantErr: `"münchen.de"` + not},
	})
}

func TestBindContentURI(t *testing.T) {
	const not = " is not a media address like mxc://example.org/abc"
	runType(t, []row[id.ContentURI]{
		{input: "mxc://hs/abc", want: id.ContentURI{Homeserver: "hs", FileID: "abc"}},
		{input: "mxc://hs:8448/a-b_C", want: id.ContentURI{Homeserver: "hs:8448", FileID: "a-b_C"}},
		{input: `""`, wantErr: `""` + not},
		{input: "https://hs/abc", wantErr: `"https://hs/abc"` + not},
		{input: "mxc://hs", wantErr: `"mxc://hs"` + not},
		{input: "mxc://hs/", wantErr: `"mxc://hs/"` + not},
		{input: "mxc://hs/a/b", wantErr: `"mxc://hs/a/b"` + not},
		{input: "mxc://hs/../x", wantErr: `"mxc://hs/../x"` + not},
		{input: "mxc:///abc", wantErr: `"mxc:///abc"` + not},
	})
	runType(t, []row[id.ContentURIString]{
		{input: "mxc://hs/abc", want: "mxc://hs/abc"},
		{input: "mxc://hs", wantErr: `"mxc://hs"` + not},
	})
}

func TestBindLink(t *testing.T) {
	const not = " is not a Matrix link like https://matrix.to/#/@name:example.org"
	runType(t, []row[arg.Link]{
		{input: "https://matrix.to/#/!a:hs/$e?via=x&via=y", want: arg.Link{Room: "!a:hs", Event: "$e", Via: []string{"x", "y"}}},
		{input: "@a:hs", want: arg.Link{User: "@a:hs"}},
		{input: "#a:hs", want: arg.Link{Alias: "#a:hs"}},
		{input: "!a", want: arg.Link{Room: "!a"}},
		{input: "$e", wantErr: `"$e"` + not},
		{input: "x", wantErr: `"x"` + not},
	})
}
