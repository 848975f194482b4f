package render_test

import (
	"fmt"

	"github.com/niobot/niobot/render"
	"maunium.net/go/mautrix/event"
)

func ExampleMarkdown() {
	body := render.Markdown("**Done.** %s said: %s", render.User("@ann:example.org", "Ann"), "<b>@room</b> *look*")
	fmt.Println(body.Text)
	fmt.Println(body.HTML)
	fmt.Println(body.Mentions.Users, body.Mentions.Room)
	// Output:
	// Done. Ann said: <b>@room</b> *look*
	// <strong>Done.</strong> <a href="https://matrix.to/#/@ann:example.org">Ann</a> said: &lt;b&gt;@room&lt;/b&gt; *look*
	// [@ann:example.org] false
}

func ExamplePlain() {
	fmt.Printf("%+q\n", render.Plain("no *marks*\r\nhere\x00").Text)
	// Output: "no *marks*\nhere"
}

func ExampleHTML() {
	body := render.HTML(`<ul><li>one<li onclick="x">two</ul><script>alert(1)</script>`)
	fmt.Println(body.Text)
	fmt.Println(body.HTML)
	// Output:
	// • one
	// • two
	// <ul><li>one</li><li>two</li></ul>
}

func ExampleBody_Content() {
	content := render.Markdown("*hello*").Content(event.MsgNotice)
	fmt.Println(content.MsgType, content.Body, content.FormattedBody)
	// Output: m.notice hello <em>hello</em>
}

func ExampleTextFromHTML() {
	fmt.Println(render.TextFromHTML(`<blockquote>as <i>said</i></blockquote><a href="https://example.org">there</a>`))
	// Output:
	// > as said
	//
	// there (https://example.org)
}

func ExampleSanitize() {
	fmt.Println(render.Sanitize(`<b onclick="x">a<a href="javascript:y">b</a>`))
	// Output: <b>ab</b>
}

func ExampleTable() {
	table := render.Table{Columns: []render.Column{{Name: "Room"}, {Name: "Members", Align: render.AlignRight}}}
	table.Add("Lobby", 1204)
	table.Add("Kitchen", 7)
	fmt.Println(table.Body().Text)
	// Output:
	// Room    | Members
	// --------+--------
	// Lobby   |    1204
	// Kitchen |       7
}

func ExampleSplit() {
	body := render.HTML("<ol><li>The first item of a list</li><li>The second item of a list</li></ol>")
	for _, part := range render.Split(body, 150) {
		fmt.Println(part.HTML)
	}
	// Output:
	// <ol><li>The first item of a list</li></ol>
	// <ol start="2"><li>The second item of a list</li></ol>
}

// rating is a type of one's own that knows how it looks.
type rating int

func (r rating) Body() render.Body {
	return render.Markdown("**%d** of 5", int(r))
}

func ExampleValue() {
	fmt.Println(render.Markdown("Rated %v", rating(4)).HTML)
	// Output: Rated <strong>4</strong> of 5
}
