package arg_test

import (
	"strings"
	"testing"

	"github.com/niobot/niobot/arg"
)

func TestPointer(t *testing.T) {
	tests := []struct {
		name       string
		text, word string // the first such word is at fault; "" for the end
		want       string
	}{
		{"word", "@a:hs --for 24x", "24x", "@a:hs --for 24x\n            ^^^"},
		{"first", "bob x", "bob", "bob x\n^^^"},
		{"missing", "@a:hs", "", "@a:hs\n      ^"},
		{"missing, space behind", "@a:hs \n ", "", "@a:hs\n      ^"},
		{"nothing", "", "", "\n^"},
		{"only space", " \n ", "", "\n^"},
		{"several lines", "one\ntwo bad\nthree", "bad", "two bad\n    ^^^"},
		{"first line", "bad one\ntwo", "bad", "bad one\n^^^"},
		{"word over lines", "a \"b\nc\" d", "\"b\nc\"", "a \"b\n  ^^"},
		{"carriage return", "a bad\r\nb", "bad", "a bad\n  ^^^"},
		{"tab", "a\tbad", "bad", "a bad\n  ^^^"},
		{"runes, not bytes", "äöü bäd x", "bäd", "äöü bäd x\n    ^^^"},
		{"wide", "日本 語 x", "語", "日本 語 x\n     ^^"},
		{"emoji", "😀 bad", "bad", "😀 bad\n   ^^^"},
		{"combining", "e\u0301 bad", "bad", "e\u0301 bad\n  ^^^"},
		{"control", "a\x1b bad", "bad", "a  bad\n   ^^^"},
		{"invalid", "\xff bad", "bad", "  bad\n  ^^^"},
		{"long before", strings.Repeat("x", 100) + " bad", "bad", "…" + strings.Repeat("x", 67) + " bad\n" + strings.Repeat(" ", 69) + "^^^"},
		{"long behind", "bad " + strings.Repeat("x", 100), "bad", "bad " + strings.Repeat("x", 67) + "…\n^^^"},
		{"long both", strings.Repeat("x", 100) + " bad " + strings.Repeat("y", 100), "bad",
			"…" + strings.Repeat("x", 50) + " bad " + strings.Repeat("y", 15) + "…\n" + strings.Repeat(" ", 52) + "^^^"},
		{"long word", "a " + strings.Repeat("x", 100) + " b", strings.Repeat("x", 100), "a " + strings.Repeat("x", 35) + "…\n  " + strings.Repeat("^", 36)},
		{"wide before", strings.Repeat("語", 50) + " bad", "bad", "…" + strings.Repeat("語", 33) + " bad\n" + strings.Repeat(" ", 68) + "^^^"},
		{"wide word", strings.Repeat("語", 50), strings.Repeat("語", 50), strings.Repeat("語", 17) + "…\n" + strings.Repeat("^", 35)},
		{"marks without end", "bad e" + strings.Repeat("\u0301", 1000), "bad", "bad e" + strings.Repeat("\u0301", 286) + "\n^^^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := arg.Error{Text: tt.text, Offset: len(tt.text), End: len(tt.text)}
			if tt.word != "" {
				e.Offset = strings.Index(tt.text, tt.word)
				e.End = e.Offset + len(tt.word)
			}
			if got := e.Pointer(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestPointerOutOfRange(t *testing.T) {
	for _, e := range []arg.Error{{Text: "a", Offset: -1, End: 5}, {Text: "a b", Offset: 2, End: 1}, {Text: "a", Offset: 9, End: 9}} {
		if got := e.Pointer(); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "^") {
			t.Errorf("%+v: got %q", e, got)
		}
	}
}
