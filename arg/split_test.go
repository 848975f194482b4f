package arg_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot/arg"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		input string
		want  []string
	}{
		{"", nil},
		{"   \t\n ", nil},
		{"a", []string{"a"}},
		{"a b c", []string{"a", "b", "c"}},
		{"  a   b  ", []string{"a", "b"}},
		{"a\tb\nc\r\nd", []string{"a", "b", "c", "d"}},
		{"a\u00a0b\u2003c\u3000d\u2028e\u0085f", []string{"a", "b", "c", "d", "e", "f"}},
		{"a\u200bb", []string{"a\u200bb"}}, // a zero width space is not white space
		{"日本 語", []string{"日本", "語"}},

		{`"a b"`, []string{"a b"}},
		{`"a b" c`, []string{"a b", "c"}},
		{`'a b' c`, []string{"a b", "c"}},
		{"`a b` c", []string{"a b", "c"}},
		{"“a b” c", []string{"a b", "c"}},
		{"”a b” c", []string{"a b", "c"}},
		{"„a b“ c", []string{"a b", "c"}},
		{"„a b” c", []string{"a b", "c"}},
		{"‘a b’ c", []string{"a b", "c"}},
		{"‚a b‘ c", []string{"a b", "c"}},
		{"‚a b’ c", []string{"a b", "c"}},
		{"«a b» c", []string{"a b", "c"}},
		{"»a b« c", []string{"a b", "c"}},
		{"\"a\nb\"", []string{"a\nb"}},
		{"\"a  b\"", []string{"a  b"}},
		{`"it's" b`, []string{"it's", "b"}},
		{`'say "x"' b`, []string{`say "x"`, "b"}},
		{`“say "x"” b`, []string{`say "x"`, "b"}},

		{`""`, []string{""}},
		{`"" ""`, []string{"", ""}},
		{`a "" b`, []string{"a", "", "b"}},
		{`''`, []string{""}},
		{"``", []string{""}},
		{"“”", []string{""}},

		{"don't stop, won't stop", []string{"don't", "stop,", "won't", "stop"}}, // nio-bot 44
		{"'tis 'twas", []string{"'tis", "'twas"}},
		{"'don't stop'", []string{"don't stop"}},
		{"'don't' stop", []string{"don't", "stop"}},
		{"‘tis the season", []string{"‘tis", "the", "season"}},
		{"rock 'n roll", []string{"rock", "'n", "roll"}},
		{"rock 'n' roll", []string{"rock", "n", "roll"}},
		{"'", []string{"'"}},
		{"a ' b", []string{"a", "'", "b"}},
		{"'a 'b", []string{"'a", "'b"}},
		{"’tis", []string{"’tis"}},
		{`a"b c"d`, []string{`a"b`, `c"d`}},
		{`5'10"`, []string{`5'10"`}},
		{`x="a b"`, []string{`x="a`, `b"`}},
		{"a`b c`", []string{"a`b", "c`"}},

		{`a\ b`, []string{"a b"}},
		{`\"a b\"`, []string{`"a`, `b"`}},
		{`\'a b'`, []string{"'a", "b'"}},
		{"\\`a", []string{"`a"}},
		{`\“a b`, []string{"“a", "b"}},
		{`a\\b`, []string{`a\b`}},
		{`\\`, []string{`\`}},
		{`C:\Users\me`, []string{`C:\Users\me`}},
		{`\d+\.\d`, []string{`\d+\.\d`}},
		{`a\`, []string{`a\`}},
		{`\`, []string{`\`}},
		{`a \`, []string{"a", `\`}},
		{`"a\"b"`, []string{`a"b`}},
		{`"a\\" b`, []string{`a\`, "b"}},
		{`"a\nb"`, []string{`a\nb`}},
		{`'a\'b c'`, []string{"a'b c"}},
		{`«a\» b»`, []string{"a» b"}},
		{"a\\\nb", []string{"a\nb"}},

		{"```go\nx := 1\n``` b", []string{"go\nx := 1\n", "b"}},
		{"``a`b`` c", []string{"a`b", "c"}},
		{"`a\\` b", []string{`a\`, "b"}},
		{"`\\d \\\\`", []string{`\d \\`}},
		{"-- --a -b", []string{"--", "--a", "-b"}},
		{"\xff \xfe", []string{"\xff", "\xfe"}},
		{"\\\xff", []string{"\\\xff"}},
	}
	for _, tt := range tests {
		words, err := arg.Split(tt.input)
		if err != nil {
			t.Errorf("%q: %v", tt.input, err)
			continue
		}
		var got []string
		end := 0
		for _, w := range words {
			got = append(got, w.Text)
			if w.Offset < end || w.End <= w.Offset || w.End > len(tt.input) {
				t.Errorf("%q: word %q has range %d:%d after %d", tt.input, w.Text, w.Offset, w.End, end)
			}
			end = w.End
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.input, got, tt.want)
		}
	}
}

func TestSplitWord(t *testing.T) {
	words, err := arg.Split(`ä "b c" \"d`)
	want := []arg.Word{
		{Text: "ä", Offset: 0, End: 2},
		{Text: "b c", Offset: 3, End: 8, Quoted: true},
		{Text: `"d`, Offset: 9, End: 12},
	}
	if err != nil || !slices.Equal(words, want) {
		t.Errorf("got %+v, %v, want %+v", words, err, want)
	}
}

// nio-bot 44: there unterminated quotes are accepted silently, and "a"b becomes two words.
func TestSplitError(t *testing.T) {
	unclosed := func(q string) string {
		return "the quote " + q + " is not closed; write \\" + q + " for the mark itself"
	}
	glued := func(q string) string {
		return "a space is needed after the closing quote " + q + "; write \\" + q + " for the mark itself"
	}
	tests := []struct {
		input   string
		wantErr string
		offset  int
		blame   string
	}{
		{`"a b`, unclosed(`"`), 0, `"`},
		{`a "b c`, unclosed(`"`), 2, `"`},
		{`"`, unclosed(`"`), 0, `"`},
		{`a "b\"`, unclosed(`"`), 2, `"`},
		{"“a", unclosed("“"), 0, "“"},
		{`“a"`, unclosed("“"), 0, "“"},
		{"ä „a", unclosed("„"), 3, "„"},
		{"«a", unclosed("«"), 0, "«"},
		{"»", unclosed("»"), 0, "»"},
		{"`a", unclosed("`"), 0, "`"},
		{"```a`` b", unclosed("```"), 0, "```"},
		{`"a"b`, glued(`"`), 2, `"`},
		{`"a", "b"`, glued(`"`), 2, `"`},
		{`x """"`, glued(`"`), 3, `"`},
		{"“a”b", glued("”"), 4, "”"},
		{"`a`.", glued("`"), 2, "`"},
		{"``a``.", glued("``"), 3, "``"},
	}
	for _, tt := range tests {
		_, err := arg.Split(tt.input)
		checkError(t, err, tt.input, tt.wantErr, tt.blame)
		e, ok := errors.AsType[*arg.Error](err)
		if ok && e.Offset != tt.offset {
			t.Errorf("%q: error at %d, want %d", tt.input, e.Offset, tt.offset)
		}
		if !errors.Is(err, arg.ErrQuote) {
			t.Errorf("%q: %v is no ErrQuote", tt.input, err)
		}
	}
}

func TestSplitLimits(t *testing.T) {
	if words, err := arg.Split(strings.Repeat("a ", arg.MaxWords)); err != nil || len(words) != arg.MaxWords {
		t.Errorf("at the limit: %d words, %v", len(words), err)
	}
	input := strings.Repeat("a ", arg.MaxWords) + "bcd"
	words, err := arg.Split(input)
	checkError(t, err, input, "there are more than 1000 words", "bcd")
	if len(words) != arg.MaxWords || !errors.Is(err, arg.ErrTooLong) {
		t.Errorf("beyond the limit: %d words, %v", len(words), err)
	}
	if _, err := arg.Split(strings.Repeat("a", arg.MaxInput)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	input = strings.Repeat("a", arg.MaxInput-1) + "äb"
	_, err = arg.Split(input)
	checkError(t, err, input, "the text is longer than 65536 bytes", "äb")
	if !errors.Is(err, arg.ErrTooLong) {
		t.Errorf("beyond the limit: %v", err)
	}
}

func TestQuote(t *testing.T) {
	tests := []struct{ input, want string }{
		{"", `""`},
		{"a", "a"},
		{"a b", `"a b"`},
		{"don't", "don't"},
		{"'tis", `"'tis"`},
		{"“x”", `"“x”"`},
		{`say "x"`, `"say \"x\""`},
		{`a"b`, `a"b`},
		{`C:\x`, `"C:\\x"`},
		{"--for", `"--for"`},
		{"-5", `"-5"`},
		{"—for", `"—for"`},
		{"a\nb", "\"a\nb\""},
		{"@a:hs", "@a:hs"},
	}
	for _, tt := range tests {
		got := arg.Quote(tt.input)
		if got != tt.want {
			t.Errorf("Quote(%q) = %s, want %s", tt.input, got, tt.want)
		}
		words, err := arg.Split(got)
		if err != nil || len(words) != 1 || words[0].Text != tt.input {
			t.Errorf("Split(Quote(%q)) = %+v, %v", tt.input, words, err)
		}
	}
}
