package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/niobot/niobot/render"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func TestValues(t *testing.T) {
	const pill = `<a href="https://matrix.to/#/@a:b.c">`
	tests := []struct {
		name  string
		body  render.Body
		text  string
		html  string
		users int
		room  bool
	}{
		{
			name: "code", body: render.Markdown("run %s", render.Code("a`b\n<c>")),
			text: "run a`b\n<c>", html: "run <code>a`b<br>&lt;c&gt;</code>",
		},
		{
			name: "code in code", body: render.Markdown("`%s`", render.Code("<x>")),
			text: "<x>", html: "<code>&lt;x&gt;</code>",
		},
		{
			name: "link", body: render.Markdown("see %v!", render.Link("the *docs*", "https://e.org/a b")),
			text: "see the *docs* (https://e.org/a%20b)!", html: `see <a href="https://e.org/a%20b">the *docs*</a>!`,
		},
		{name: "script link", body: render.Link("x", "javascript:y"), text: "x (javascript:y)"},
		{
			name: "user", body: render.Markdown("hi %v", render.User("@a:b.c", "Al <b>")), users: 1,
			text: "hi Al <b>", html: "hi " + pill + "Al &lt;b&gt;</a>",
		},
		{
			name: "user without a name", body: render.User("@a:b.c", " "), users: 1,
			text: "@a:b.c", html: pill + "@a:b.c</a>",
		},
		{name: "user that is none", body: render.User("a@b.c", ""), text: "a@b.c"},
		{
			name: "user twice", body: render.Markdown("%[1]v **and** %[1]v", render.User("@a:b.c", "A")), users: 1,
			text: "A and A", html: pill + "A</a> <strong>and</strong> " + pill + "A</a>",
		},
		{name: "user that is not printed", body: render.Markdown("%[2]s", render.User("@a:b.c", "A"), "x"), text: "x"},
		{
			name: "room", body: render.Room("!r:b.c", "Room", "b.c"), text: "Room",
			html: `<a href="https://matrix.to/#/%21r:b.c?via=b.c">Room</a>`,
		},
		{
			name: "alias", body: render.RoomAlias("#r:b.c"),
			text: "#r:b.c", html: `<a href="https://matrix.to/#/%23r:b.c">#r:b.c</a>`,
		},
		{name: "everybody", body: render.Markdown("%v!", render.AtRoom()), text: "@room!", room: true},
		{
			name: "a body in markdown", body: render.Markdown("a %v", render.Markdown("*%s*", "<b>")),
			text: "a <b>", html: "a <em>&lt;b&gt;</em>",
		},
		{
			name: "raw HTML is cleaned in markdown", body: render.Markdown("a %v", render.RawHTML("<b onclick=x>b</p><script>")),
			text: "a b", html: "a <b>b</b>",
		},
		{
			name: "a block ends the paragraph", body: render.Markdown("a\n%v\nb", render.HTML("<ul><li>x</li></ul>")),
			text: "a\n\n• x\n\nb", html: "<p>a</p><ul><li>x</li></ul>b",
		},
		{
			name: "a block in a heading is text", body: render.Markdown("# %v", render.HTML("<ul><li>x</li></ul>")),
			text: "• x", html: "<h1>• x</h1>",
		},
		{
			name: "a link in a link is text", body: render.Markdown("[%v](https://e.org)", render.Link("x", "https://f.org")),
			text: "x (https://f.org) (https://e.org)", html: `<a href="https://e.org">x (https://f.org)</a>`,
		},
		{name: "width", body: render.Markdown("|%-4v|", render.Code("x")), text: "|x   |", html: "|<code>x</code>   |"},
		{name: "quoted", body: render.Markdown("*%q*", render.Code("x")), text: `"x"`, html: `<em>"x"</em>`},
		{name: "an own type", body: render.Markdown("%v of 5", stars(3)), text: "3 stars of 5", html: "<b>★★★</b> of 5"},
		{
			name: "a user id is text", body: render.Markdown("*%s* and @room", id.UserID("@a:b.c")),
			text: "@a:b.c and @room", html: "<em>@a:b.c</em> and @room",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.body.Text != test.text {
				t.Errorf("text = %q, want %q", test.body.Text, test.text)
			}
			if test.body.HTML != test.html {
				t.Errorf("HTML = %q, want %q", test.body.HTML, test.html)
			}
			if got := test.body.Mentions; len(got.Users) != test.users || got.Room != test.room {
				t.Errorf("mentions = %v", got)
			}
		})
	}
}

type stars int

func (s stars) Body() render.Body {
	return render.Body{Text: "3 stars", HTML: "<b>" + strings.Repeat("★", int(s)) + "</b>"}
}

// nio-bot 72: "@room" and user ids in echoed text became mentions.
func TestEchoedTextMentionsNobody(t *testing.T) {
	for _, body := range []render.Body{
		render.Plain("@room @a:b.c"),
		render.Markdown("you said: %s", "@room @a:b.c"),
		render.Markdown("**you** said: %s", "@room [A](https://matrix.to/#/@a:b.c)"),
		render.HTML(`@room <a href="https://matrix.to/#/@a:b.c">A</a>`),
	} {
		raw, err := json.Marshal(body.Content(event.MsgNotice))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), `"m.mentions":{}`) {
			t.Errorf("content is %s, want empty m.mentions", raw)
		}
	}
}

// nio-bot 60: the escape for user text changed nothing in text without spaces.
func TestTextWithoutSpacesIsEscaped(t *testing.T) {
	if got, want := render.Markdown("**%s**", "*x*`y`<z>").HTML, "<strong>*x*`y`&lt;z&gt;</strong>"; got != want {
		t.Errorf("HTML = %q, want %q", got, want)
	}
}

// nio-bot 68: HTML messages were bytes and could not be sent.
func TestHTMLContentIsJSON(t *testing.T) {
	raw, err := json.Marshal(render.HTML("<b>x</b>").Content(event.MsgText))
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := json.Unmarshal(raw, &content); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"msgtype": "m.text", "body": "x", "formatted_body": "<b>x</b>", "format": "org.matrix.custom.html",
	} {
		if content[key] != want {
			t.Errorf("%s = %v, want %q", key, content[key], want)
		}
	}
}

func TestContentOfPlainText(t *testing.T) {
	content := render.Markdown("%v %v", render.AtRoom(), "x").Content(event.MsgEmote)
	if content.MsgType != event.MsgEmote || content.Body != "@room x" || content.Format != "" || content.FormattedBody != "" {
		t.Errorf("content = %+v", content)
	}
	if !content.Mentions.Room {
		t.Error("the room is not mentioned")
	}
}

func TestSizeIsThatOfJSON(t *testing.T) {
	for _, text := range []string{"", "abc", "<b>\"&\\\n\t'", "日本語\u2028\u2029\u2027", "👩‍👩‍👧"} {
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := (render.Body{Text: text}).Size(), len(raw)-2; got != want {
			t.Errorf("size of %q is %d, want %d", text, got, want)
		}
	}
}

func TestLinkDestinations(t *testing.T) {
	tests := []struct{ name, format, arg, text, html string }{
		{"whole", "[x](%s)", "https://e.org/?a=b&c", "x (https://e.org/?a=b&c)", `<a href="https://e.org/?a=b&amp;c">x</a>`},
		{"script", "[x](%s)", "javascript:alert(1)", "x (javascript:alert(1))", ""},
		{"data", "[x](%s)", "data:text/html,<b>", "x (data:text/html,<b>)", ""},
		{"path", "[x](https://e.org/u/%s)", "../a?b#c d", "x (https://e.org/u/..%2Fa%3Fb%23c%20d)", `<a href="https://e.org/u/..%2Fa%3Fb%23c%20d">x</a>`},
		{"query", "[x](https://e.org?q=%s)", "a&b=c", "x (https://e.org?q=a%26b%3Dc)", `<a href="https://e.org?q=a%26b%3Dc">x</a>`},
		{"host", "[x](https://%s/)", "e.org:8448", "x (https://e.org:8448/)", `<a href="https://e.org:8448/">x</a>`},
		{"host with a user", "[x](https://e.org%s)", "@evil.example", "x (https://e.org%40evil.example)", ""},
		{"mail", "[x](mailto:%s)", "a@e.org", "x (mailto:a@e.org)", `<a href="mailto:a@e.org">x</a>`},
		{"scheme", "[x](%s://e.org)", "https", "x (https://e.org)", `<a href="https://e.org">x</a>`},
		{"bare URL", "at https://e.org/%s now", "a b", "at https://e.org/a b now", `at <a href="https://e.org/a%20b">https://e.org/a b</a> now`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := render.Markdown(test.format, test.arg)
			if got.Text != test.text || got.HTML != test.html {
				t.Errorf("got  %q\n     %q\nwant %q\n     %q", got.Text, got.HTML, test.text, test.html)
			}
		})
	}
}

func TestHTMLBodies(t *testing.T) {
	if got := render.HTML("<p>a</p><p>b<br>c</p>"); got.Text != "a\n\nb\nc" || got.HTML != "" {
		t.Errorf("HTML of paragraphs = %+v", got)
	}
	if got := render.RawHTML("<x-y>a</x-y>\x00<b>c"); got.Text != "ac" || got.HTML != "<x-y>a</x-y><b>c" {
		t.Errorf("RawHTML = %+v", got)
	}
	if got := render.Plain("a\r\nb\x00\x1b[0m\xff"); got.Text != "a\nb[0m\ufffd" || got.HTML != "" {
		t.Errorf("Plain = %+v", got)
	}
	if got := render.Plain(strings.Repeat("é", render.MaxInput)); len(got.Text) > render.MaxInput || !strings.HasSuffix(got.Text, "é…") {
		t.Errorf("Plain of too much is %d bytes", len(got.Text))
	}
	if got := render.Markdown("*%s* %s", strings.Repeat("x", render.MaxInput), strings.Repeat("y", 100)); len(got.Text) > render.MaxInput+100 {
		t.Errorf("Markdown of too much is %d bytes", len(got.Text))
	}
}
