package render_test

import (
	"testing"

	"github.com/niobot/niobot/render"
)

func TestMarkdown(t *testing.T) {
	const hostile = "<b>x</b> **y**\n[a](http://e.org)"
	tests := []struct {
		name   string
		format string
		args   []any
		text   string
		html   string
	}{
		{name: "plain", format: "pong", text: "pong"},
		{name: "plain with an argument", format: "pong %s", args: []any{"**x**"}, text: "pong **x**"},
		{
			name: "emphasis", format: "**Done.** See you in %s.", args: []any{"*x*"},
			text: "Done. See you in *x*.", html: "<strong>Done.</strong> See you in *x*.",
		},
		{
			name: "in emphasis", format: "**%s**", args: []any{hostile}, text: hostile,
			html: "<strong>&lt;b&gt;x&lt;/b&gt; **y**<br>[a](http://e.org)</strong>",
		},
		{
			name: "in a code block", format: "```go\n%s\n```", args: []any{"```\n**x**"}, text: "```\n**x**",
			html: "<pre><code class=\"language-go\">```\n**x**\n</code></pre>",
		},
		{name: "extra arguments are text", format: "pong", args: []any{"*x*"}, text: "pong%!(EXTRA string=*x*)"},
		{
			name: "extra arguments of markdown are text", format: "*pong*", args: []any{"*x*"},
			text: "pong%!(EXTRA string=*x*)", html: "<em>pong</em>%!(EXTRA string=*x*)",
		},
		{name: "paragraphs need no markup", format: "a\n\n\\*b\\*", text: "a\n\n*b*"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := render.Markdown(test.format, test.args...)
			if got.Text != test.text {
				t.Errorf("text = %q, want %q", got.Text, test.text)
			}
			if got.HTML != test.html {
				t.Errorf("HTML = %q, want %q", got.HTML, test.html)
			}
			if got.Mentions.Room || len(got.Mentions.Users) > 0 {
				t.Errorf("mentions = %v, want none", got.Mentions)
			}
		})
	}
}
