package render_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/microcosm-cc/bluemonday"
	"github.com/niobot/niobot/render"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// argFormats hold an argument in every place where one can stand with the same markup around it whatever it is.
var argFormats = []string{
	"**%s** x", "*%s*", "~~%s~~", "||%s||", "`%s`", "a `b %s c` d", "```\n%s\n```", "```go\nx %s\n```\nafter *x*",
	"    %s\n", "# %s", "%s\n===", "- %s\n- *b*", "1. a\n2. %s\n\nend", "> %s\n> b\n\nend", "- a\n  > %s\n",
	"| a | %[1]s |\n|---|---|\n| %[1]s | *x* |", "[%s](https://example.org)", "[x](https://example.org/%s)",
	"[x](https://example.org/?q=%s#%[1]s)", "[x](<https://example.org/%s> \"%[1]s\")", "see https://example.org/%s *now*",
	"![%s](mxc://example.org/abc)", "<b title=\"%s\">%[1]s</b>", "<a href='https://example.org/%s'>x</a>",
	"<span data-mx-spoiler=\"%s\">x</span>", "<div>%s</div>", "<table><tr><td>%s</td></tr></table>", "<%s>*x*", "</%s>*x*",
	"&%s; *x*", "\\%s *x*", "*x* %[1]s%[1]s", "__%s__", "_%s_", "***%s***", "[%s]\n\n*x*", "*x*\n%s\ny",
	"*x* @%s:example.org",
}

// FuzzMarkdownArgs checks that no argument makes anything but text: nio-bot 72 and 84 were echoed user text that pinged
// and injected HTML.
func FuzzMarkdownArgs(f *testing.F) {
	for _, seed := range []string{
		"harmless", "", " ", "\n", "a\nb", "a\n\nb", "**x**", "<b>x</b>", "</td></tr></table>", "`", "```", "|", "||", "~~~",
		"@room", "@user:example.org", "[a](https://evil.example)", "](https://evil.example)", "\" onclick=\"x", "' x='",
		"javascript:alert(1)", "0zqv0x", "0zqvv0x", "\x00\x1b\xff", "&lt;", "&#60;b&#62;", "<!--",
		"<script>x</script>", "\\", "%s%d",
		"- x\n- y", "# h", "> q", "1. x", "\r\n", "===", "a  b", "https://evil.example", "\u2028", "<mx-reply>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		text := render.Plain(arg).Text
		for _, format := range argFormats {
			got := render.Markdown(format, arg)
			if got.Mentions.Room || len(got.Mentions.Users) > 0 {
				t.Errorf("%q: %q mentions %v", format, arg, got.Mentions)
			}
			if strings.Trim(text, " \t\n") == "" {
				continue // an empty element may go
			}
			want := render.Markdown(format, "harmless")
			if got, want := outline(got.HTML), outline(want.HTML); got != want {
				t.Errorf("%q: %q makes the elements %s, want %s", format, arg, got, want)
			}
			if harmless, _ := content(want.HTML); !strings.Contains(harmless, "harmless") {
				continue // it stands in an attribute only
			}
			if shown, _ := content(got.HTML); !strings.Contains(shown, text) {
				t.Errorf("%q: %q does not stand in the HTML %q", format, arg, got.HTML)
			}
			for line := range strings.SplitSeq(text, "\n") {
				if !strings.Contains(got.Text, line) {
					t.Errorf("%q: %q does not stand in the text %q", format, line, got.Text)
				}
			}
		}
		for _, format := range []string{"[x](%s)", "<a href=\"%s\">x</a>", "![x](%s)", "<img src=%q>", "[x]: %s\n\n[x]"} {
			_, urls := content(render.Markdown(format, arg).HTML)
			for _, url := range urls {
				if !slices.ContainsFunc([]string{"https://", "http://", "ftp://", "mailto:", "magnet:", "mxc://"}, func(s string) bool {
					return strings.HasPrefix(url, s)
				}) {
					t.Errorf("%q: %q makes a link to %q", format, arg, url)
				}
			}
		}
	})
}

func FuzzSanitize(f *testing.F) {
	for _, seed := range []string{
		"<b>x", "<p><div>x</p>", "<table><b>x<td>y<table>z", "<pre>\n\nx</pre>",
		"<a href=x><a href='https://e.org'>y</a>", "<svg><style><img src=x>",
		"<ul><li>a<li>b<ul><li>c</ul>d</ul>", "<h1><h2>x", "<math><mi><table><b>", "<mx-reply>quote</mx-reply>text",
		"<b><b><b><b><b>x", "<table><caption>x<tr><th>y",
		"<details><summary>x</summary>y", "<a href='https://e.org'><table><tr><td><a href='https://f.org'>x",
		"&lt;b&gt;&amp;lt;", "<p>x</p></p>", "<b><p>x</b>y</p>",
		"<div data-mx-maths='x'>y</div><span data-mx-spoiler>z</span><hr>", "<ol start=3><li>x",
		"<img src='mxc://a/b' alt=x>", "<template><b>x", "<plaintext>x", "<!-- x --><?y>",
		strings.Repeat("<div>", 120) + "x", strings.Repeat("<ul><li>", 60) + "x",
		strings.Repeat("<table><td>", 40) + "x", "<code><pre>\n</code>x", "<form><button><p>x",
	} {
		f.Add(seed)
	}
	policy := specPolicy()
	f.Fuzz(func(t *testing.T, source string) {
		clean := render.Sanitize(source)
		if again := render.Sanitize(clean); again != clean {
			t.Errorf("sanitized twice:\n%q, once:\n%q", again, clean)
		}
		// What a browser's parser makes of it has to be what was checked.
		written, parsed := tokens(clean), treeTokens(t, clean)
		if !slices.Equal(written, parsed) {
			t.Errorf("%q is parsed as\n%q, not as\n%q", clean, parsed, written)
		}
		if depth := depthOf(written); depth > render.MaxDepth {
			t.Errorf("depth is %d", depth)
		}
		if judged := tokens(policy.Sanitize(clean)); !slices.Equal(keysOnly(judged), keysOnly(written)) {
			t.Errorf("a second sanitizer makes\n%q of\n%q", judged, written)
		}
		if text := render.TextFromHTML(source); render.Plain(text).Text != text {
			t.Errorf("text %q is not clean", text)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("<p>one two</p><p>three four</p><ul><li>five<li>six</ul>", 70)
	f.Add(strings.Repeat("<b>&amp;</b> ", 40), 100)
	f.Add("<pre><code class='language-go'>"+strings.Repeat("line of code\n", 20)+"</code></pre>", 200)
	f.Add("<table><tr><td>"+strings.Repeat("x", 300)+"<td>y</table>", 128)
	f.Add("<ol><li>a<ol><li>b<li>c</ol><li>"+strings.Repeat("word ", 80)+"<li>d</ol>", 150)
	f.Add("<span data-mx-maths='"+strings.Repeat("x", 200)+"'>"+strings.Repeat("y ", 100)+"</span>", 90)
	f.Fuzz(func(t *testing.T, source string, limit int) {
		limit = 64 + (limit&0x7fffffff)%512
		if len(source) > 4096 {
			return
		}
		for _, body := range []render.Body{render.HTML(source), render.Plain(source)} {
			var shown strings.Builder
			for _, part := range render.Split(body, limit) {
				if part.Size() > limit {
					t.Errorf("a part takes %d bytes, limit is %d: %+v", part.Size(), limit, part)
				}
				if part.HTML != "" && render.Sanitize(part.HTML) != part.HTML {
					t.Errorf("a part is not whole: %q", part.HTML)
				}
				if part.HTML == "" {
					shown.WriteString(part.Text)
					continue
				}
				text, _ := content(part.HTML)
				shown.WriteString(text)
			}
			want := body.Text
			if body.HTML != "" {
				want, _ = content(body.HTML)
			}
			if body.HTML == "" && squeeze(shown.String()) != squeeze(want) {
				t.Errorf("parts hold\n%q, want\n%q", squeeze(shown.String()), squeeze(want))
			}
			// Parts too small for their tags are plain text, where marks such as bullets join the words.
			if body.HTML != "" && !isSubsequence(squeeze(want), squeeze(shown.String())) {
				t.Errorf("parts hold\n%q, want\n%q", squeeze(shown.String()), squeeze(want))
			}
		}
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func isSubsequence(short, long string) bool {
	for _, r := range long {
		if first, ok := strings.CutPrefix(short, string(r)); ok {
			short = first
		}
	}
	return short == ""
}

// specPolicy is the spec's list in the terms of another sanitizer.
func specPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("del", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "p", "a", "ul", "ol", "sup", "sub", "li", "b", "i", "u",
		"strong", "em", "s", "code", "hr", "br", "div", "table", "thead", "tbody", "tr", "th", "td", "caption",
		"pre", "span", "img", "details", "summary")
	p.AllowNoAttrs().OnElements("span", "img")
	p.AllowAttrs("data-mx-color", "data-mx-bg-color", "data-mx-spoiler", "data-mx-maths").OnElements("span")
	p.AllowAttrs("data-mx-maths").OnElements("div")
	p.AllowAttrs("href", "target").OnElements("a")
	p.AllowAttrs("src", "alt", "title", "width", "height").OnElements("img")
	p.AllowAttrs("start").OnElements("ol")
	p.AllowAttrs("class").OnElements("code")
	p.AllowURLSchemes("https", "http", "ftp", "mailto", "magnet", "mxc")
	return p
}

// tokens returns the tags and texts of a document, one string each.
func tokens(source string) []string {
	var list []string
	z := html.NewTokenizer(strings.NewReader(source))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		switch token.Type {
		case html.TextToken:
			list = addText(list, token.Data)
		case html.EndTagToken:
			list = append(list, "</"+token.Data+">")
		default:
			list = append(list, tag(token.Data, token.Attr))
		}
	}
	return list
}

// addText appends text as the standard reads it: joined with the text before, and without a newline right behind <pre>.
func addText(list []string, text string) []string {
	if len(list) > 0 && list[len(list)-1] == "<pre>" {
		text = strings.TrimPrefix(text, "\n")
	}
	switch {
	case text == "":
	case len(list) > 0 && !strings.HasPrefix(list[len(list)-1], "<"):
		list[len(list)-1] += text
	default:
		list = append(list, "text "+text)
	}
	return list
}

func tag(name string, attrs []html.Attribute) string {
	return html.Token{Type: html.StartTagToken, Data: name, Attr: attrs}.String()
}

// treeTokens returns what tokens does, but of the tree that the HTML standard makes of source.
func treeTokens(t *testing.T, source string) []string {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(source), &html.Node{Type: html.ElementNode, DataAtom: atom.Div, Data: "div"})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			if len(list) > 0 && !strings.HasPrefix(list[len(list)-1], "<") {
				list[len(list)-1] += n.Data
			} else {
				list = append(list, "text "+n.Data)
			}
			return
		}
		list = append(list, tag(n.Data, n.Attr))
		for child := range n.ChildNodes() {
			walk(child)
		}
		if n.Data != "br" && n.Data != "hr" && n.Data != "img" {
			list = append(list, "</"+n.Data+">")
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return list
}

func depthOf(tokens []string) int {
	deepest, depth := 0, 0
	for _, token := range tokens {
		switch {
		case strings.HasPrefix(token, "</"):
			depth--
		case strings.HasPrefix(token, "<"):
			deepest = max(deepest, depth+1)
			if name := strings.Fields(strings.Trim(token, "<>"))[0]; name != "br" && name != "hr" && name != "img" {
				depth++
			}
		}
	}
	return deepest
}

// keysOnly leaves the values of attributes out, which a sanitizer may write in another way.
func keysOnly(tokens []string) []string {
	var list []string
	for _, token := range tokens {
		if !strings.HasPrefix(token, "<") {
			list = append(list, token)
			continue
		}
		z := html.NewTokenizer(strings.NewReader(token))
		z.Next()
		t := z.Token()
		for i := range t.Attr {
			t.Attr[i].Val = ""
		}
		list = append(list, t.String())
	}
	return list
}

// outline is the elements and attribute names of a document without line breaks and text.
func outline(source string) string {
	var b strings.Builder
	for _, token := range keysOnly(tokens(source)) {
		if strings.HasPrefix(token, "<") && token != "<br>" {
			b.WriteString(token)
		}
	}
	return b.String()
}

// content is the text of a document, with a newline for each line break, and the URLs of links and images.
func content(source string) (text string, urls []string) {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(source))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		switch {
		case token.Type == html.TextToken:
			b.WriteString(token.Data)
		case token.Data == "br":
			b.WriteByte('\n')
		}
		for _, a := range token.Attr {
			if a.Key == "href" || a.Key == "src" {
				urls = append(urls, a.Val)
			}
		}
	}
	return b.String(), urls
}
