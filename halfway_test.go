package niobot

import (
	"strings"
	"testing"
)

func TestHalfway(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"plain", "plain"},
		{"a **bol", "a **bol**"},
		{"a **bold", "a **bold**"},
		{"a **bold*", "a **bold**"},
		{"a **bold**", "a **bold**"},
		{"a **", "a "},
		{"a *", "a "},
		{"a *it", "a *it*"},
		{"a **b *c", "a **b *c***"},
		{"a **b *c* d ", "a **b *c* d**"},
		{"***both", "***both***"},
		{"snake_ca", "snake_ca"},
		{"2 * 3 * 4", "2 * 3 * 4"},
		{"`co", "`co`"},
		{"`", ""},
		{"``co`", "``co``"},
		{"`a*b", "`a*b`"},
		{"`a` *b", "`a` *b*"},
		{"~~stru", "~~stru~~"},
		{"||spoi", "||spoi||"},
		{"||spoi|", "||spoi||"},
		{"||spoi||", "||spoi||"},
		{"see [the do", "see the do"},
		{"see [the docs]", "see the docs"},
		{"see [the docs](https://exa", "see the docs"},
		{"see [the docs](https://example.org)", "see [the docs](https://example.org)"},
		{"see [the docs](https://example.org/a_(b", "see the docs"},
		{"see [**the", "see **the**"},
		{"a list[0] of", "a list[0] of"},
		{"![ima", "ima"},
		{"a <b", "a "},
		{"1 < 2", "1 < 2"},
		{"back\\", "back"},
		{"back\\*", "back\\*"},
		{"para\n-", "para\n"},
		{"para\n- it", "para\n- it"},
		{"para\n==", "para\n"},
		{"- **a\n- b", "- **a\n- b"},
		{"**a\nb", "**a\nb**"},
		{"**a\n\nb", "**a\n\nb"},
		{"##", ""},
		{"# hea", "# hea"},
		{"```", ""},
		{"```go", ""},
		{"x\n```go\nfmt", "x\n```go\nfmt"},
		{"```go\n**", "```go\n**"},
		{"```go\nx\n``", "```go\nx\n"},
		{"```go\nx\n```", "```go\nx\n"},
		{"```go\nx\n```\n**y", "```go\nx\n```\n**y**"},
		{"````\n```\n**y", "````\n```\n**y"},
		{"~~~\n```\n_y", "~~~\n```\n_y"},
		{"| a", ""},
		{"x\n\n| a | b |\n", "x\n\n"},
		{"| a | b |\n|--", ""},
		{"| a | b |\n|---|---|", "| a | b |\n|---|---|"},
		{"| a | b |\n|---|---|\n| 1 | *2", "| a | b |\n|---|---|\n"},
		{"| a | b |\n|---|---|\n| 1 | 2 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"},
		{"> **quo", "> **quo**"},
		{"100% *o", "100% *o*"},
		{"**日本", "**日本**"},
		{"", ""},
	} {
		if got := halfway(test.text); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
}

const written = `# A heading

Some **bold text**, *slanted text*, ***both***, ~~struck~~, ||a spoiler|| and ` + "`code`" + `. A [link](https://example.org/a_b)
with **[bold](https://example.org)** in it, and ` + "``a ` b``" + `.

- an item with **bold**
- another

1. one
2. *two*

> a **quote**
> of two lines

` + "```go\nx := **y\nfmt.Println(\"[\")\n```" + `

| a | b |
|---|---|
| 1 | **2** |

The **end**.
`

// Wherever a text breaks off, no mark of Markdown shows.
func TestHalfwayShowsNoMarks(t *testing.T) {
	for end := range len(written) {
		html := ""
		for _, body := range composed(halfway(written[:end])) {
			html += body.HTML
		}
		if at := strings.Index(html, "<pre>"); at >= 0 { // Code shows them.
			_, after, _ := strings.Cut(html, "</pre>")
			html = html[:at] + after
		}
		html = strings.ReplaceAll(html, "a ` ", "")
		for _, mark := range []string{"*", "~~", "||", "](", "`", "|-", ">#"} {
			if strings.Contains(html, mark) {
				t.Errorf("%q shows %q:\n%s", written[max(0, end-40):end], mark, html)
			}
		}
	}
}

func FuzzHalfway(f *testing.F) {
	f.Add(written)
	f.Add("**[`||~~\\")
	f.Fuzz(func(t *testing.T, text string) {
		got := halfway(text)
		if len(got) > 2*len(text) {
			t.Errorf("%q becomes %q", text, got)
		}
		if strings.ContainsAny(text, "*_~|`[]<\\-+=#") {
			return
		}
		if got != text {
			t.Errorf("%q, in which nothing is open, becomes %q", text, got)
		}
	})
}
