package attachment_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/niobot/niobot/attachment"
)

func TestCleanName(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for _, tt := range []struct{ name, want string }{
		{"cat.jpg", "cat.jpg"},
		{"Größe 1.txt", "Größe 1.txt"},
		{"../../etc/passwd", "passwd"},
		{`C:\Users\me\cat.jpg`, "cat.jpg"},
		{`..\`, ""},
		{"/", ""},
		{".", ""},
		{"..", ""},
		{"", ""},
		{" . ", ""},
		{".bashrc", ".bashrc"},
		{"cat.jpg. . ", "cat.jpg"},
		{"a\x00b\nc\td\x7f\u0085e", "abcde"},
		{"invoice\u202Egpj.exe", "invoicegpj.exe"},
		{"a\u2066b\u2069c\u200fd\u200be\ufefff", "abcdef"},
		{"two\u2028lines\u2029", "twolines"},
		{"no\u00a0break", "no break"},
		{"\xff\xfecat\xc3.jpg", "cat.jpg"},
		{long + ".jpg", strings.Repeat("ä", 125) + ".jpg"},
		{long, strings.Repeat("ä", 127)},
		{"a." + strings.Repeat("x", 400), "a." + strings.Repeat("x", 253)},
	} {
		if got := attachment.CleanName(tt.name); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{
		"cat.jpg", "../x", "a\u202eb", strings.Repeat("é", 300) + ".txt", "\xff", " . .", "a/\\.",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := attachment.CleanName(name)
		if len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\n\u202e\u2066") ||
			got == "." || got == ".." || strings.ContainsFunc(got, unicode.IsControl) || strings.HasSuffix(got, " ") {
			t.Errorf("%q becomes %q", name, got)
		}
		if again := attachment.CleanName(got); again != got {
			t.Errorf("%q becomes %q and then %q", name, got, again)
		}
	})
}
