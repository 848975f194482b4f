package arg_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/niobot/niobot/arg"
)

// nio-bot 52: there ?via= ends up in the room id, nothing is decoded, and matrix: URIs are not known.
func TestParseLink(t *testing.T) {
	tests := []struct {
		input string
		want  arg.Link
	}{
		{"https://matrix.to/#/@a:hs", arg.Link{User: "@a:hs"}},
		{"http://matrix.to/#/@a:hs", arg.Link{User: "@a:hs"}},
		{"HTTPS://MATRIX.TO/#/@a:hs", arg.Link{User: "@a:hs"}},
		{"https://www.matrix.to/#/@a:hs", arg.Link{User: "@a:hs"}},
		{"matrix.to/#/@a:hs", arg.Link{User: "@a:hs"}},
		{"https://matrix.to#/@a:hs", arg.Link{User: "@a:hs"}},
		{"https://matrix.to/#/@a:hs/", arg.Link{User: "@a:hs"}},
		{"https://matrix.to/#/%40a:hs", arg.Link{User: "@a:hs"}},
		{"https://matrix.to/#/@a/b:hs", arg.Link{User: "@a/b:hs"}},
		{"https://matrix.to/#/@a%2Fb:hs", arg.Link{User: "@a/b:hs"}},
		{"https://matrix.to/#/@a+b:hs", arg.Link{User: "@a+b:hs"}},
		{"https://matrix.to/#/@a:[::1]:8448", arg.Link{User: "@a:[::1]:8448"}},
		{"https://matrix.to/#/!a:hs", arg.Link{Room: "!a:hs"}},
		{"https://matrix.to/#/!a:hs?via=x", arg.Link{Room: "!a:hs", Via: []string{"x"}}},
		{"https://matrix.to/#/!a?via=x&via=y:1", arg.Link{Room: "!a", Via: []string{"x", "y:1"}}},
		{"https://matrix.to/#/!a?via=x&via=no/server&via=", arg.Link{Room: "!a", Via: []string{"x"}}},
		{"https://matrix.to/#/!a?utm=1", arg.Link{Room: "!a"}},
		{"https://matrix.to/#/!a?via=%zz", arg.Link{Room: "!a"}},
		{"https://matrix.to/#/!a:hs/$e", arg.Link{Room: "!a:hs", Event: "$e"}},
		{"https://matrix.to/#/!a:hs/$e:hs?via=x", arg.Link{Room: "!a:hs", Event: "$e:hs", Via: []string{"x"}}},
		{"https://matrix.to/#/!a:hs/%24e%2Bf", arg.Link{Room: "!a:hs", Event: "$e+f"}},
		{"https://matrix.to/#/#a:hs", arg.Link{Alias: "#a:hs"}},
		{"https://matrix.to/#/%23a:hs", arg.Link{Alias: "#a:hs"}},
		{"https://matrix.to/#/%23%C3%A4:hs", arg.Link{Alias: "#ä:hs"}},
		{"https://matrix.to/#/#a%3Fvia=b:hs", arg.Link{Alias: "#a?via=b:hs"}},
		{"https://matrix.to/#/%23a:hs/$e", arg.Link{Alias: "#a:hs", Event: "$e"}},

		{"matrix:u/a:hs", arg.Link{User: "@a:hs"}},
		{"MATRIX:u/a:hs", arg.Link{User: "@a:hs"}},
		{"matrix:user/a:hs", arg.Link{User: "@a:hs"}},
		{"matrix:u/a%2Fb:hs?action=chat", arg.Link{User: "@a/b:hs"}},
		{"matrix:r/a:hs", arg.Link{Alias: "#a:hs"}},
		{"matrix:room/a:hs", arg.Link{Alias: "#a:hs"}},
		{"matrix:roomid/a:hs?via=x&action=join&via=y", arg.Link{Room: "!a:hs", Via: []string{"x", "y"}}},
		{"matrix:roomid/a:hs/e/e1", arg.Link{Room: "!a:hs", Event: "$e1"}},
		{"matrix:roomid/a:hs/event/e1?via=x", arg.Link{Room: "!a:hs", Event: "$e1", Via: []string{"x"}}},
		{"matrix:r/a:hs/e/e1", arg.Link{Alias: "#a:hs", Event: "$e1"}},
		{"matrix://example.org/u/a:hs", arg.Link{User: "@a:hs"}},
		{"matrix:u/a:hs#fragment", arg.Link{User: "@a:hs"}},
	}
	for _, tt := range tests {
		got, err := arg.ParseLink(tt.input)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.input, got, err, tt.want)
			continue
		}
		for _, form := range []string{got.String(), got.URI()} {
			if again, err := arg.ParseLink(form); err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("%s: %s reads as %+v, %v", tt.input, form, again, err)
			}
		}
	}
}

func TestParseLinkError(t *testing.T) {
	for _, input := range []string{
		"",
		"x",
		"https://example.org",
		"https://evilmatrix.to/#/@a:hs",
		"https://matrix.to.evil.org/#/@a:hs",
		"https://matrix.to@evil.org/#/@a:hs",
		"https://matrix.to",
		"https://matrix.to/",
		"https://matrix.to/#/",
		"https://matrix.to/#/a:hs",
		"https://matrix.to/#/@a",
		"https://matrix.to/#/$e",
		"https://matrix.to/#/@a:hs/$e",
		"https://matrix.to/#/!a:hs/$",
		"https://matrix.to/#/!a:hs/e",
		"https://matrix.to/#/%zz",
		"https://matrix.to/#/!a/%24%zz",
		"https://matrix.to/#/@a%20b:hs",
		"ftp://matrix.to/#/@a:hs",
		"matrix:",
		"matrix:u",
		"matrix:u/",
		"matrix:x/a:hs",
		"matrix:e/e1",
		"matrix:u/a:hs/e/e1",
		"matrix:roomid/a/e/",
		"matrix:roomid/a/x/e1",
		"matrix:roomid/a/e/e1/x",
		"matrix:u/%zz",
		"matrix:r/a",
		"matrix:roomid/a:hs/e/%zz",
		"https://matrix.to/#/!" + strings.Repeat("a", 300),
		"https://matrix.to/#/!a?" + strings.Repeat("via=a&", arg.MaxInput),
	} {
		got, err := arg.ParseLink(input)
		if err == nil || !reflect.DeepEqual(got, arg.Link{}) {
			t.Errorf("%.80q: got %+v, %v, want an error", input, got, err)
		} else if !strings.HasSuffix(err.Error(), " is not a Matrix link like https://matrix.to/#/@name:example.org") {
			t.Errorf("%.80q: got %v", input, err)
		}
	}
}

func TestLinkString(t *testing.T) {
	tests := []struct {
		link      arg.Link
		want, uri string
	}{
		{arg.Link{}, "", ""},
		{arg.Link{User: "@a:hs"}, "https://matrix.to/#/@a:hs", "matrix:u/a:hs"},
		{arg.Link{Alias: "#a/b:hs"}, "https://matrix.to/#/%23a%2Fb:hs", "matrix:r/a%2Fb:hs"},
		{arg.Link{Room: "!a", Event: "$b", Via: []string{"x", "y"}}, "https://matrix.to/#/%21a/$b?via=x&via=y", "matrix:roomid/a/e/b?via=x&via=y"},
	}
	for _, tt := range tests {
		if got := tt.link.String(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.link, got, tt.want)
		}
		if got := tt.link.URI(); got != tt.uri {
			t.Errorf("%+v: got %s, want %s", tt.link, got, tt.uri)
		}
	}
}
