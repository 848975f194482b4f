package arg_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// bindTest is one input and what becomes of it. Where wantErr is set, it is the error's exact text, and the word that
// the error blames is blame, the first of its kind in input; "" blames the end.
type bindTest[T any] struct {
	input   string
	want    T
	wantErr string
	blame   string
}

func mustPlan[T any](t testing.TB, opts ...arg.Option) *arg.Plan {
	t.Helper()
	p, err := arg.NewPlan(reflect.TypeFor[T](), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// runBind binds each input and compares the outcome.
func runBind[T any](t *testing.T, p *arg.Plan, tests []bindTest[T]) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.input, func(t *testing.T) {
			t.Helper()
			var got T
			err := p.Bind(t.Context(), arg.Input{Text: tt.input}, &got)
			if tt.wantErr == "" {
				if err != nil {
					t.Fatalf("input %q: %v", tt.input, err)
				}
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("input %q: got %+v, want %+v", tt.input, got, tt.want)
				}
				return
			}
			checkError(t, err, tt.input, tt.wantErr, tt.blame)
		})
	}
}

func checkError(t *testing.T, err error, input, want, blame string) {
	t.Helper()
	e, ok := errors.AsType[*arg.Error](err)
	if !ok {
		t.Fatalf("input %q: got error %v, want an *arg.Error: %s", input, err, want)
	}
	if e.Error() != want {
		t.Errorf("input %q: got error\n%s\nwant\n%s", input, e, want)
	}
	if e.Text != input || e.Offset < 0 || e.Offset > e.End || e.End > len(input) {
		t.Fatalf("input %q: error has text %q and range %d:%d", input, e.Text, e.Offset, e.End)
	}
	if got := input[e.Offset:e.End]; got != blame {
		t.Errorf("input %q: error blames %q (%d:%d), want %q", input, got, e.Offset, e.End, blame)
	}
	if blame == "" && e.Offset != len(input) {
		t.Errorf("input %q: error at %d, want the end", input, e.Offset)
	}
}

type banArgs struct {
	User   id.UserID     `arg:"user" help:"who to ban"`
	For    time.Duration `arg:"--for,-f" default:"24h" help:"how long"`
	Reason string        `arg:"reason,rest" default:"no reason"`
}

func TestBindBan(t *testing.T) {
	const day = 24 * time.Hour
	runBind(t, mustPlan[banArgs](t), []bindTest[banArgs]{
		{input: "@a:hs", want: banArgs{"@a:hs", day, "no reason"}},
		{input: "@a:hs --for 2d", want: banArgs{"@a:hs", 2 * day, "no reason"}},
		{input: "--for 2d @a:hs", want: banArgs{"@a:hs", 2 * day, "no reason"}},
		{input: "-f 2d @a:hs rude", want: banArgs{"@a:hs", 2 * day, "rude"}},
		{input: "-f=2d @a:hs rude", want: banArgs{"@a:hs", 2 * day, "rude"}},
		{input: "--for=2d @a:hs rude", want: banArgs{"@a:hs", 2 * day, "rude"}},
		{input: `--for="2d" @a:hs rude`, want: banArgs{"@a:hs", 2 * day, "rude"}},
		{input: "--FOR 2d @a:hs", want: banArgs{"@a:hs", 2 * day, "no reason"}},
		{input: "—for 2d @a:hs", want: banArgs{"@a:hs", 2 * day, "no reason"}},
		{input: "@a:hs —so rude", want: banArgs{"@a:hs", day, "—so rude"}},
		{input: "@a:hs  two  spaces \n\nand \"lines\"  ", want: banArgs{"@a:hs", day, "two  spaces \n\nand \"lines\""}},
		{input: "@a:hs rude --for 2d", want: banArgs{"@a:hs", day, "rude --for 2d"}},
		{input: "@a:hs -- --for 2d", want: banArgs{"@a:hs", day, "--for 2d"}},
		{input: "@a:hs - a list", want: banArgs{"@a:hs", day, "- a list"}},
		{input: "@a:hs --reason rude", want: banArgs{"@a:hs", day, "rude"}},
		{input: `--reason "very rude" --user @a:hs`, want: banArgs{"@a:hs", day, "very rude"}},
		{input: "\t@a:hs\n-f\t1h", want: banArgs{"@a:hs", time.Hour, "no reason"}},
		{input: "@a:hs -1 was enough", want: banArgs{"@a:hs", day, "-1 was enough"}},
		{input: "-- @a:hs", want: banArgs{"@a:hs", day, "no reason"}},
		{input: "@a:hs --reason=", want: banArgs{"@a:hs", day, ""}},

		{input: "", wantErr: "user: missing; expected a user id like @name:example.org"},
		{input: "--for 2d ", wantErr: "user: missing; expected a user id like @name:example.org"},
		{input: "bob", wantErr: `user: "bob" is not a user id like @name:example.org`, blame: "bob"},
		{input: "@a:hs --for", wantErr: "for: a value is needed after --for: a duration like 90s, 1h30m or 2d", blame: "--for"},
		{input: "@a:hs --for 24x", wantErr: `for: "24x" is not a duration like 90s, 1h30m or 2d`, blame: "24x"},
		{input: "@a:hs --for=24x", wantErr: `for: "24x" is not a duration like 90s, 1h30m or 2d`, blame: "24x"},
		{input: "@a:hs --for 24", wantErr: `for: "24" has no unit; write s, m, h, d or w behind the number`, blame: "24"},
		{input: "@a:hs --for --reason x", wantErr: "for: a value is needed after --for: a duration like 90s, 1h30m or 2d", blame: "--for"},
		{input: "@a:hs --for 1h -f 2h", wantErr: "for: given twice", blame: "-f"},
		{input: "@a:hs --user @b:hs", wantErr: "user: given twice", blame: "--user"},
		{input: "@a:hs --fro 2d", wantErr: `unknown flag "--fro"; did you mean --for?`, blame: "--fro"},
		{input: "@a:hs -for 2d", wantErr: `unknown flag "-for"; did you mean --for?`, blame: "-for"},
		{input: "@a:hs -x", wantErr: `unknown flag "-x"; write -- before text that begins with a dash`, blame: "-x"},
		{input: "@a:hs --verbose=3", wantErr: `unknown flag "--verbose"; write -- before text that begins with a dash`, blame: "--verbose"},
		{input: "@a:hs --reason so rude", wantErr: `"rude" is one argument too many; put quotes around text with spaces`, blame: "rude"},
		{input: `"@a:hs`, wantErr: "the quote \" is not closed; write \\\" for the mark itself", blame: `"`},
	})
}
