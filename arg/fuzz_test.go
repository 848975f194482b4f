package arg_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

var seeds = []string{
	"", " ", "a b", `"a b" c`, "don't stop, won't stop", `a\ b \\ \" "\""`, "“a” „b“ «c» ‚d’", "`a` ``b``", "```go\nx\n``` y",
	"@a:hs 5 1d --force x", "-- --x", "--for=1h", "-f 5", "—force", `{"a": [1, "}"]} x`, "2026-01-31 15:04",
	"[Alice](https://matrix.to/#/@a:hs)", "\xff\xfe", "\\", "'", "\"", "\u2028\u00a0", "--for --for", "a\x00b",
}

// checkFault holds an error against the promises of arg.Error.
func checkFault(t *testing.T, err error, text string) {
	t.Helper()
	e, ok := errors.AsType[*arg.Error](err)
	if !ok {
		t.Fatalf("%q: %v is not an *arg.Error", text, err)
	}
	if e.Text != text || e.Offset < 0 || e.Offset > e.End || e.End > len(text) {
		t.Fatalf("%q: error %v has range %d:%d", text, e, e.Offset, e.End)
	}
	if e.Reason == "" || strings.ContainsAny(e.Error(), "\r\n") {
		t.Fatalf("%q: error is not one line: %q", text, e)
	}
	line, carets, ok := strings.Cut(e.Pointer(), "\n")
	if !ok || strings.Contains(carets, "\n") || strings.Trim(carets, " ^") != "" || !strings.HasSuffix(carets, "^") {
		t.Fatalf("%q: pointer is %q over %q", text, line, carets)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := arg.Split(text)
		if err != nil {
			checkFault(t, err, text)
		}
		end := 0
		var quoted []string
		for _, w := range words {
			if w.Offset < end || w.End <= w.Offset || w.End > len(text) || strings.TrimSpace(text[end:w.Offset]) != "" {
				t.Fatalf("%q: word %+v after %d", text, w, end)
			}
			end = w.End
			quoted = append(quoted, arg.Quote(w.Text))
		}
		if err == nil && strings.TrimSpace(text[end:]) != "" {
			t.Fatalf("%q: %q is left over", text, text[end:])
		}
		again, err := arg.Split(strings.Join(quoted, " "))
		if tooLong := errors.Is(err, arg.ErrTooLong); err != nil && !tooLong || err == nil && len(again) != len(words) {
			t.Fatalf("%q: quoted as %q, which gives %d words, %v", text, quoted, len(again), err)
		}
		for i := range again {
			if again[i].Text != words[i].Text {
				t.Fatalf("%q: %q was quoted as %q, which gives %q", text, words[i].Text, quoted[i], again[i].Text)
			}
		}
		if len(text) > arg.MaxInput/4 {
			return
		}
		if one, err := arg.Split(arg.Quote(text)); err != nil || len(one) != 1 || one[0].Text != text {
			t.Fatalf("%q: quoted as %q, which gives %+v, %v", text, arg.Quote(text), one, err)
		}
	})
}

func FuzzBind(f *testing.F) {
	type args struct {
		Users []id.UserID     `len:"0..3"`
		Count *int8           `arg:"count"`
		For   time.Duration   `arg:"--for,-f" default:"24h" max:"1w"`
		When  time.Time       `arg:"--when"`
		Data  json.RawMessage `arg:"--data"`
		Code  arg.CodeBlock   `arg:"--code"`
		Link  *arg.Link       `arg:"--link"`
		Color string          `arg:"--color" choices:"red,green"`
		Force bool            `arg:"--force"`
		Note  string          `arg:"note,rest,optional"`
	}
	p, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range seeds {
		f.Add(s, `<a href="https://matrix.to/#/@a:hs">`+s+"</a>")
	}
	f.Fuzz(func(t *testing.T, text, html string) {
		var got args
		if err := p.Bind(t.Context(), arg.Input{Text: text, HTML: html}, &got); err != nil {
			checkFault(t, err, text)
			return
		}
		if len(got.Users) > 3 || got.For > 7*24*time.Hour || len(got.Data) > 0 && !json.Valid(got.Data) {
			t.Fatalf("%q: got %+v", text, got)
		}
		for _, user := range got.Users {
			if _, _, err := user.ParseAndValidateRelaxed(); err != nil {
				t.Fatalf("%q: user %q: %v", text, user, err)
			}
		}
		if !strings.Contains(text, got.Note) {
			t.Fatalf("%q: the note %q is not in it", text, got.Note)
		}
	})
}

func FuzzParseLink(f *testing.F) {
	for _, s := range []string{
		"https://matrix.to/#/@a:hs", "https://matrix.to/#/!a:hs/$e?via=x&via=y", "https://matrix.to/#/%23a%2Fb:hs/%24e%2Ff",
		"matrix:u/a:hs?action=chat", "matrix:roomid/a/e/b?via=x#y", "matrix://x/r/a:hs", "matrix.to/#/@a:[::1]:1", "matrix:", "x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		link, err := arg.ParseLink(text)
		if err != nil {
			if !reflect.DeepEqual(link, arg.Link{}) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%q: got %+v, %v", text, link, err)
			}
			return
		}
		count := 0
		for _, s := range []string{string(link.User), string(link.Room), string(link.Alias)} {
			if s != "" {
				count++
			}
		}
		if count != 1 || link.User != "" && link.Event != "" {
			t.Fatalf("%q: got %+v", text, link)
		}
		for _, form := range []string{link.String(), link.URI()} {
			if again, err := arg.ParseLink(form); len(form) <= arg.MaxInput && (err != nil || !reflect.DeepEqual(again, link)) {
				t.Fatalf("%q: %+v was written as %q, which gives %+v, %v", text, link, form, again, err)
			}
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"1d12h", "-1.5w", "0", "9223372036854775807ns", "1.99999999999999999999s", "", "5", "300000w"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := arg.ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := arg.ParseDuration(got.String()); err != nil || again != got {
			t.Fatalf("%q: got %v, which reads as %v, %v", text, got, again, err)
		}
		if want, err := time.ParseDuration(text); err == nil && want-got != 0 {
			if diff := want - got; diff > 1 || diff < -1 {
				t.Fatalf("%q: got %v, the standard library has %v", text, got, want)
			}
		}
	})
}
