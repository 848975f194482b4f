package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot/render"
	"maunium.net/go/mautrix/id"
)

func TestSplit(t *testing.T) {
	word := strings.Repeat("w", 28)
	tests := []struct {
		name  string
		body  render.Body
		limit int
		text  []string
		html  []string
	}{
		{name: "what fits", body: render.Plain("a\n\nb"), text: []string{"a\n\nb"}, html: []string{""}},
		{
			name: "between paragraphs", body: render.Plain(word + " a b c\n\n" + word + "\n" + word), limit: 75,
			text: []string{word + " a b c", word + "\n" + word}, html: []string{"", ""},
		},
		{
			name: "between lines", body: render.Plain(word + " x\n" + word + " y zz"), limit: 64,
			text: []string{word + " x", word + " y zz"}, html: []string{"", ""},
		},
		{
			name: "in a word", body: render.Plain(strings.Repeat("é", 50)), limit: 64,
			text: []string{strings.Repeat("é", 32), strings.Repeat("é", 18)}, html: []string{"", ""},
		},
		{
			name: "open elements", body: render.HTML("<b>" + word + " <i>" + word + " y</i></b>"), limit: 120,
			text: []string{word, word + " y"}, html: []string{"<b>" + word + " </b>", "<b><i>" + word + " y</i></b>"},
		},
		{
			name: "a list goes on counting", body: render.HTML("<ol start=4><li>" + word + "<li>" + word + "</ol>"), limit: 150,
			text: []string{"4. " + word, "5. " + word},
			html: []string{`<ol start="4"><li>` + word + "</li></ol>", `<ol start="5"><li>` + word + "</li></ol>"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var text, html []string
			for _, part := range render.Split(test.body, test.limit) {
				text, html = append(text, part.Text), append(html, part.HTML)
			}
			if !slices.Equal(text, test.text) {
				t.Errorf("text = %q\nwant   %q", text, test.text)
			}
			if !slices.Equal(html, test.html) {
				t.Errorf("HTML = %q\nwant   %q", html, test.html)
			}
		})
	}
}

func TestSplitMentionsOnce(t *testing.T) {
	body := render.Markdown("%v **%s**", render.User(id.UserID("@a:b.c"), ""), strings.Repeat("word ", 50_000/5))
	parts := render.Split(body, 0)
	if len(parts) < 2 {
		t.Fatalf("%d parts, want more", len(parts))
	}
	for i, part := range parts {
		if got, want := len(part.Mentions.Users), 1-min(i, 1); got != want {
			t.Errorf("part %d mentions %d users, want %d", i, got, want)
		}
		if part.Size() > render.MaxSize {
			t.Errorf("part %d takes %d bytes", i, part.Size())
		}
	}
}

// nio-bot 98: messages and tables were put out without escaping.
func TestTable(t *testing.T) {
	table := render.Table{
		Caption: "Scores <1>",
		Columns: []render.Column{{Name: "Name"}, {Name: "Points", Align: render.AlignRight}, {Name: "Note", Align: render.AlignCenter}},
	}
	table.Add("a|b\n<c>", 7, render.Code("ok"))
	table.Add("日本", 1234, render.User("@a:b.c", "Al"))
	table.Add("short")
	body := table.Body()
	const text = "Scores <1>\n" +
		"Name    | Points | Note\n" +
		"--------+--------+-----\n" +
		"a|b <c> |      7 |  ok\n" +
		"日本    |   1234 |  Al\n" +
		"short"
	if body.Text != text {
		t.Errorf("text =\n%s\nwant\n%s", body.Text, text)
	}
	const html = "<table><caption>Scores &lt;1&gt;</caption><thead><tr><th>Name</th><th>Points</th><th>Note</th></tr></thead>" +
		"<tbody><tr><td>a|b<br>&lt;c&gt;</td><td>7</td><td><code>ok</code></td></tr>" +
		`<tr><td>日本</td><td>1234</td><td><a href="https://matrix.to/#/@a:b.c">Al</a></td></tr><tr><td>short</td></tr></tbody></table>`
	if body.HTML != html {
		t.Errorf("HTML =\n%s\nwant\n%s", body.HTML, html)
	}
	if render.Sanitize(body.HTML) != body.HTML {
		t.Error("the HTML is not clean")
	}
	if len(body.Mentions.Users) != 1 {
		t.Errorf("mentions = %v", body.Mentions)
	}
	in := render.Markdown("# Now\n\n%v\n\nEnd", &table)
	if want := "Now\n\n" + text + "\n\nEnd"; in.Text != want || in.HTML != "<h1>Now</h1>"+html+"<p>End</p>" {
		t.Errorf("in markdown: %q, %q", in.Text, in.HTML)
	}
	if got := (render.Table{}).Body(); got.Text != "" || got.HTML != "" {
		t.Errorf("an empty table is %+v", got)
	}
}

func TestLongCellsDoNotWidenOthers(t *testing.T) {
	var table render.Table
	table.Add(strings.Repeat("x", 10_000), "y")
	for i := range 1000 {
		table.Add(fmt.Sprint(i), "y")
	}
	if body := table.Body(); len(body.Text) > 100_000 {
		t.Errorf("the text takes %d bytes", len(body.Text))
	}
}
