package render_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/render"
)

func TestSanitize(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"keeps the spec's tags", "<b>x</b><br><i>y</i>", "<b>x</b><br><i>y</i>"},
		{"closes what is open", "<b>x <i>y", "<b>x <i>y</i></b>"},
		{"unwraps other tags", "<blink>x</blink>", "x"},
		{"drops scripts with their content", "a<script>alert(1)</script><style>x{}</style>b", "ab"},
		{"drops the quote of a reply", "<mx-reply><blockquote>old</blockquote></mx-reply>new", "new"},
		{"drops comments", "a<!-- x -->b", "ab"},
		{"drops handlers", `<b onclick="x" style="y">z</b>`, "<b>z</b>"},
		{"keeps links with an allowed scheme", `<a href="HTTPS://e.org/?a=1&amp;b=2">x</a>`, `<a href="https://e.org/?a=1&amp;b=2">x</a>`},
		{"unwraps script links", `<a href=" java&#10;script:alert(1)">x</a>`, "x"},
		{"unwraps relative links", `<a href="/x">y</a><a href="https:/x">z</a>`, "yz"},
		{"keeps images of the media repository", `<img src="mxc://e.org/a" alt="x" width=16 onerror=y>`, `<img src="mxc://e.org/a" alt="x" width="16">`},
		{"turns other images into their text", `a <img src="https://e.org/a.png" alt="x">`, "a x"},
		{"keeps colours", `<span data-mx-color="#aabbcc" data-mx-bg-color="red">x</span>`, `<span data-mx-color="#aabbcc">x</span>`},
		{"keeps spoilers", `<span data-mx-spoiler="why">x</span>`, `<span data-mx-spoiler="why">x</span>`},
		{"keeps maths", `<div data-mx-maths="x^2"><code>x</code></div>`, `<div data-mx-maths="x^2"><code>x</code></div>`},
		{"keeps languages of code", `<code class="evil language-go x">y</code>`, `<code class="language-go">y</code>`},
		{"renames old tags", "<strike>x</strike><tt>y</tt>", "<s>x</s><code>y</code>"},
		{"completes tables", "<table><td>x<tr><td>y", "<table><tbody><tr><td>x</td></tr><tr><td>y</td></tr></tbody></table>"},
		{"keeps text of tables in them", "<table>x</table>", "<table><tbody><tr><td>x</td></tr></tbody></table>"},
		{"ends paragraphs at blocks", "<p>a<ul><li>b</ul>", "<p>a</p><ul><li>b</li></ul>"},
		{"leaves items to lists", "<li>x</li>", "x"},
		{"escapes text", "a &lt;b&gt; &amp;amp; \"c\"", "a &lt;b&gt; &amp;amp; \"c\""},
		{"removes control characters", "a\x00b&#1;c&#x202e;\xffd", "abc\u202e\ufffdd"},
		{"keeps a newline that begins code", "<pre>\n\nx</pre>", "<pre>\n\nx</pre>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := render.Sanitize(test.source); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestSanitizeLimitsDepth(t *testing.T) {
	for _, unit := range []string{"<div>", "<b>", "<ul><li>", "<blockquote><p>", "<table><tr><td>", "<em><img src='mxc://a/b'>"} {
		got := render.Sanitize(strings.Repeat(unit, 3*render.MaxDepth) + "text")
		if depth := depthOf(tokens(got)); depth > render.MaxDepth || depth < render.MaxDepth/2 {
			t.Errorf("%s: depth is %d", unit, depth)
		}
		if !strings.Contains(got, "text") {
			t.Errorf("%s: the text is gone", unit)
		}
	}
}

// Formatting elements that are repeated in each paragraph make gigabytes of this in a tree builder by the standard.
func TestSanitizeTakesLinearSpace(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		b.WriteString("<code class=language-" + strings.Repeat("x", i+1) + ">")
	}
	b.WriteString(strings.Repeat("<p>x", 100_000))
	start := time.Now()
	if got := render.Sanitize(b.String()); len(got) > 3*b.Len() {
		t.Errorf("%d bytes became %d", b.Len(), len(got))
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

// Documents made of tags at random reach corners of the standard's tree builder that a byte-wise fuzzer seldom does.
func TestSanitizedHTMLIsParsedAsWritten(t *testing.T) {
	words := []string{
		"x", " ", "\n", "y z", "<br>", "<hr>", "<img src=mxc://a/b>", "</p>", "</br>", "<a href=https://e.org>", "<a>", "<td align=right>",
	}
	for _, name := range []string{
		"a", "b", "i", "code", "del", "span", "s", "p", "div", "pre", "blockquote", "h1", "h2", "ul", "ol", "li", "table", "thead", "tbody", "tfoot",
		"tr", "td", "th", "caption", "details", "summary", "sup", "svg", "math", "form", "button", "select", "section", "colgroup", "template",
	} {
		words = append(words, "<"+name+">", "<"+name+">", "</"+name+">")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range 1 + random.IntN(24) {
			b.WriteString(words[random.IntN(len(words))])
		}
		source := b.String()
		clean := render.Sanitize(source)
		if again := render.Sanitize(clean); again != clean {
			t.Fatalf("%q\nsanitized once:\n%q, twice:\n%q", source, clean, again)
		}
		if written, parsed := tokens(clean), treeTokens(t, clean); !slices.Equal(written, parsed) {
			t.Fatalf("%q: %q\nis parsed as\n%q, not as\n%q", source, clean, parsed, written)
		}
	}
}
