package arg_test

import (
	"reflect"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

func pillTo(link, label string) string {
	return `<a href="https://matrix.to/#/` + link + `">` + label + "</a>"
}

func TestBindPills(t *testing.T) {
	type args struct {
		Users []id.UserID
		Note  string `arg:"note,rest,optional"`
	}
	p := mustPlan[args](t)
	users := func(ids ...id.UserID) []id.UserID { return ids }
	alice := pillTo("@alice:hs", "Alice")
	tests := []struct {
		name, text, html string
		want             args
	}{
		{"one", "Alice", "!ban " + alice, args{users("@alice:hs"), ""}},
		{"then text", "Alice for spam", "!ban " + alice + " for spam", args{users("@alice:hs"), "for spam"}},
		{"two", "Alice Bob", alice + " " + pillTo("@bob:hs", "Bob"), args{users("@alice:hs", "@bob:hs"), ""}},
		{"several words", "Alice B. Smith x", pillTo("@alice:hs", "Alice B. Smith") + " x", args{users("@alice:hs"), "x"}},
		{"white space differs", "Alice  Smith x", pillTo("@alice:hs", "Alice\n Smith") + " x", args{users("@alice:hs"), "x"}},
		{"longest wins", "Al Green x", pillTo("@al:hs", "Al") + pillTo("@green:hs", "Al Green"), args{users("@green:hs"), "x"}},
		{"same name twice", "Al Al", pillTo("@al:hs", "Al") + " " + pillTo("@al:other", "Al"), args{users("@al:hs", "@al:other"), ""}},
		{"encoded", "Alice", `<a href="https://matrix.to/#/%40alice%3Ahs">Alice</a>`, args{users("@alice:hs"), ""}},
		{"entities", "A & B", `<a href="https://matrix.to/#/@ab:hs?via=x&amp;via=y">A &amp; B</a>`, args{users("@ab:hs"), ""}},
		{"markup inside", "Alice", `<a href="https://matrix.to/#/@alice:hs"><b>Al</b>ice</a>`, args{users("@alice:hs"), ""}},
		{"other attributes", "Alice", `<a class="pill" data-x href='https://matrix.to/#/@alice:hs' rel=x>Alice</a>`, args{users("@alice:hs"), ""}},
		{"bare attribute", "Alice", `<A HREF=https://matrix.to/#/@alice:hs>Alice</A>`, args{users("@alice:hs"), ""}},
		{"matrix URI", "Alice", `<a href="matrix:u/alice:hs">Alice</a>`, args{users("@alice:hs"), ""}},
		{"quote in name", `"Al" Smith`, pillTo("@alice:hs", `"Al" Smith`), args{users("@alice:hs"), ""}},
		{"apostrophe", "O'Neil", pillTo("@neil:hs", "O&#39;Neil"), args{users("@neil:hs"), ""}},
		{"id typed beside", "@bob:hs Alice", "@bob:hs " + alice, args{users("@bob:hs", "@alice:hs"), ""}},
		{"id as label", "@bob:hs", pillTo("@bob:hs", "@bob:hs"), args{users("@bob:hs"), ""}},
		{"label is another id", "@bob:hs", pillTo("@evil:hs", "@bob:hs"), args{users("@bob:hs"), ""}},
		{"other links", "Alice", `<a href="https://example.org">Alice</a>` + alice, args{users("@alice:hs"), ""}},
		{"by name", "--users Alice x", alice, args{users("@alice:hs"), "x"}},
		{"by name with =", "--users=Alice x", alice, args{users("@alice:hs"), "x"}},
		{"quoted message left out", "Alice", "<mx-reply>" + pillTo("@other:hs", "Alice") + "</mx-reply>" + alice, args{users("@alice:hs"), ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got args
			err := p.Bind(t.Context(), arg.Input{Text: tt.text, HTML: tt.html}, &got)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestBindPillsNot(t *testing.T) {
	p := mustPlan[one[id.UserID]](t)
	for name, html := range map[string]string{
		"no pill":         "Alice",
		"part of a word":  pillTo("@alice:hs", "Ali"),
		"longer label":    pillTo("@alice:hs", "Alice Smith"),
		"other label":     pillTo("@alice:hs", "alice"),
		"no label":        pillTo("@alice:hs", " "),
		"room":            pillTo("!room:hs", "Alice"),
		"other host":      `<a href="https://evilmatrix.to/#/@alice:hs">Alice</a>`,
		"other tag":       `<abbr href="https://matrix.to/#/@alice:hs">Alice</abbr>`,
		"no href":         `<a title="https://matrix.to/#/@alice:hs">Alice</a>`,
		"not closed":      `<a href="https://matrix.to/#/@alice:hs">Alice`,
		"tag not closed":  `<a href="https://matrix.to/#/@alice:hs"`,
		"quote open":      `<a href="https://matrix.to/#/@alice:hs>Alice</a>`,
		"reply only":      "<mx-reply>" + pillTo("@alice:hs", "Alice") + "</mx-reply>Alice",
		"too long":        strings.Repeat(" ", arg.MaxHTML) + pillTo("@alice:hs", "Alice"),
		"too many before": strings.Repeat(pillTo("@bob:hs", "Bob"), arg.MaxPills) + pillTo("@alice:hs", "Alice"),
	} {
		err := p.Bind(t.Context(), arg.Input{Text: "Alice", HTML: html}, new(one[id.UserID]))
		want := `x: "Alice" is not a user id like @name:example.org`
		if name == "room" {
			want = `x: "https://matrix.to/#/!room:hs" is not a user id like @name:example.org`
		}
		t.Run(name, func(t *testing.T) { checkError(t, err, "Alice", want, "Alice") })
	}
}

func TestBindPillKinds(t *testing.T) {
	type args struct {
		Room  id.RoomID
		Alias id.RoomAlias
		Event id.EventID
		Link  arg.Link
		Text  string
	}
	html := pillTo("!room:hs?via=hs", "General Talk") + pillTo("%23talk:hs", "#talk") + pillTo("!room:hs/$e", "message") +
		pillTo("@a:hs", "Alice") + pillTo("@b:hs", "Bob")
	var got args
	err := mustPlan[args](t).Bind(t.Context(), arg.Input{Text: "General Talk #talk message Alice Bob", HTML: html}, &got)
	want := args{"!room:hs", "#talk:hs", "$e", arg.Link{User: "@a:hs"}, "Bob"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
