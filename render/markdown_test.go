package render_test

import (
	"fmt"
	"strings"
	"sync"
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

func TestMarkdownIsSafeForConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			want := fmt.Sprintf("<strong>%d</strong> ||", i)
			for range 20 {
				if got := render.Markdown("**%d** %s", i, "||").HTML; got != want {
					t.Errorf("HTML = %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestArgumentsDoNotForgePlaceholders(t *testing.T) {
	pill := render.User("@a:b.c", "Ann")
	for _, format := range []string{
		"*%s* %v", "`%s` %v", "![%s](bad) %v", "![x](%s) %v", "[x](%s) %v", "<span data-mx-spoiler='%s'>x</span> %v",
	} {
		for _, forged := range []string{"0zqv1x", "0zqv0x", "0zqv0zqv1x"} {
			got := render.Markdown(format, forged, pill)
			if n := strings.Count(got.HTML, "Ann"); n != 1 {
				t.Errorf("%q: %d pills in %q", format, n, got.HTML)
			}
			if !strings.Contains(got.HTML, forged) {
				t.Errorf("%q: %q does not stand in %q", format, forged, got.HTML)
			}
		}
	}
	// A format that holds what looks like one gets another key.
	if got, want := render.Markdown("0zqv0x *%s*", "a").Text, "0zqv0x a"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
}

func TestMarkdownOfAWrongFormat(t *testing.T) {
	for _, format := range []string{
		"*x* %d %d %d", "*x* %!", "*x* %", "*x* %z %s", "*x* %[3]d", "*x* %[x]d", "*x* %[1]2d", "*x* %*d", "*x* %.*d %s", "*x* %[1].2d", "*x* %[",
		"*x* %99999999d", "*x* %s", "*x*", "*x* %[2]d",
	} {
		args := []any{"*a*", 2}
		want := "x" + fmt.Sprintf(format, args...)[len("*x*"):]
		if got := render.Markdown(format, args...).Text; got != want {
			t.Errorf("%q: text = %q, want %q", format, got, want)
		}
	}
}
