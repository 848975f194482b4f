package render_test

import (
	"strings"
	"testing"

	"github.com/niobot/niobot/render"
)

func BenchmarkMarkdownPlain(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		render.Markdown("pong")
	}
}

func BenchmarkMarkdownPlainArgs(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		render.Markdown("pong, %s, in %d ms", "Ann", 12)
	}
}

func BenchmarkMarkdownRich(b *testing.B) {
	user := render.User("@ann:example.org", "Ann")
	b.ReportAllocs()
	for b.Loop() {
		render.Markdown("**Done.** %v wrote `%s`:\n\n- %s\n- [more](https://example.org/%s)", user, "x < y", "some text", "a/b")
	}
}

func BenchmarkSanitize(b *testing.B) {
	source := strings.Repeat("<p>Some <b>bold</b> and <a href='https://example.org'>linked</a> text</p><ul><li>x</ul>", 20)
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		render.Sanitize(source)
	}
}
