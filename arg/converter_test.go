package arg_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/niobot/niobot/arg"
)

type shade struct{ name string }

type shades struct{ known []string }

func (s shades) Convert(_ context.Context, text string) (shade, error) {
	for _, name := range s.known {
		if name == text {
			return shade{name}, nil
		}
	}
	return shade{}, arg.Reject("there is no shade %q", text)
}

type namedShades struct{ shades }

func (namedShades) Kind() arg.Kind { return "colour" }

func TestConverter(t *testing.T) {
	with := arg.With[shade](shades{[]string{"red", "light blue"}})
	type simple struct {
		Main  shade
		Extra []shade `arg:"--extra"`
		Last  *shade  `arg:"--last" default:"red"`
		Note  string  `arg:"note,rest,optional"`
	}
	red, blue := shade{"red"}, shade{"light blue"}
	runBind(t, mustPlan[simple](t, with), []bindTest[simple]{
		{input: "red", want: simple{red, nil, &red, ""}},
		{input: `"light blue" dark`, want: simple{blue, nil, &red, "dark"}},
		{input: `red --extra red --extra "light blue"`, want: simple{red, []shade{red, blue}, &red, ""}},
		{input: `red --last="light blue"`, want: simple{red, nil, &blue, ""}},
		{input: "", wantErr: "main: missing; expected a valid shade"},
		{input: "pink", wantErr: `main: there is no shade "pink"`, blame: "pink"},
		{input: "red --extra pink", wantErr: `extra: there is no shade "pink"`, blame: "pink"},
	})
	if got := mustPlan[simple](t, with).Usage(); got != "<main> [--extra <shade>…] [--last red] [note…]" {
		t.Errorf("got usage %s", got)
	}
	if got := mustPlan[simple](t, arg.With[shade](namedShades{})).Params()[0].Kind; got != "colour" {
		t.Errorf("got kind %s", got)
	}
	if _, err := arg.NewPlan(reflect.TypeFor[simple]()); err == nil {
		t.Error("a plan without the converter was made")
	}
}

// nio-bot 46: there every error of a parser becomes the same text, and 38: a parser of one's own is thrown away.
func TestConverterErrors(t *testing.T) {
	down := errors.New("database is down")
	cause := errors.New("cause")
	type word string
	answers := map[string]error{
		"down":    down,
		"reject":  arg.Reject("no %s here", "luck"),
		"wrap":    arg.Reject("no luck: %w", cause),
		"wrapped": fmt.Errorf("look up: %w", arg.Reject("not in the list")),
		"lines":   arg.Reject("one\ntwo"),
	}
	plan := mustPlan[one[word]](t, arg.With(arg.ConverterFunc[word](func(_ context.Context, text string) (word, error) {
		return word(text), answers[text]
	})))
	for input, want := range map[string]string{
		"reject": "x: no luck here", "wrap": "x: no luck: cause", "wrapped": "x: not in the list", "lines": "x: one two",
	} {
		var got one[word]
		err := plan.Bind(t.Context(), arg.Input{Text: input}, &got)
		checkError(t, err, input, want, input)
		if got.X != "" {
			t.Errorf("%s: a rejected value was kept", input)
		}
		if input == "wrap" && !errors.Is(err, cause) {
			t.Error("the cause is lost")
		}
	}
	err := plan.Bind(t.Context(), arg.Input{Text: "down"}, new(one[word]))
	if _, isArg := errors.AsType[*arg.Error](err); isArg || !errors.Is(err, down) || err.Error() != "arg: x: database is down" {
		t.Errorf("got %v", err)
	}

	type optional struct {
		A *word
		B string
	}
	p := mustPlan[optional](t, arg.With(arg.ConverterFunc[word](func(context.Context, string) (word, error) { return "", down })))
	if err := p.Bind(t.Context(), arg.Input{Text: "a"}, new(optional)); !errors.Is(err, down) {
		t.Errorf("trouble with an optional argument was passed over: %v", err)
	}
}

func TestConverterDefault(t *testing.T) {
	type word string
	type args struct {
		X word `default:"bad"`
	}
	calls := 0
	p := mustPlan[args](t, arg.With(arg.ConverterFunc[word](func(_ context.Context, text string) (word, error) {
		calls++
		return "", arg.Reject("no such word")
	})))
	if calls != 0 {
		t.Error("the converter ran while the plan was made")
	}
	// Such a default may depend on the message, so that it is for the user to give another value.
	err := p.Bind(t.Context(), arg.Input{}, new(args))
	if wrong, ok := errors.AsType[*arg.Error](err); !ok || wrong.Error() != "x: no such word" || wrong.Offset != 0 {
		t.Errorf("got %v", err)
	}
}

type usualShades struct{ shades }

func (usualShades) Default() string { return "red" }

func TestConverterWithADefaultOfItsOwn(t *testing.T) {
	red, blue := shade{"red"}, shade{"blue"}
	with := arg.With[shade](usualShades{shades{[]string{"red", "blue"}}})
	type many struct{ Many []shade }
	runBind(t, mustPlan[many](t, with), []bindTest[many]{{input: "", wantErr: "many: missing; expected a valid shade"}})
	type few struct {
		Usual    shade
		Other    shade `default:"blue"`
		Optional shade `arg:",optional"`
		Flag     shade `arg:"--flag"`
		Pointer  *shade
	}
	runBind(t, mustPlan[few](t, with), []bindTest[few]{{input: "", want: few{red, blue, shade{}, shade{}, &red}}})
	type required struct {
		Usual shade `arg:",required"`
	}
	runBind(t, mustPlan[required](t, with), []bindTest[required]{{input: "", wantErr: "usual: missing; expected a valid shade"}})
}

func TestConverterReplacesBuiltin(t *testing.T) {
	upper := arg.With(arg.ConverterFunc[string](func(_ context.Context, text string) (string, error) {
		return strings.ToUpper(text), nil
	}))
	runType(t, []row[string]{{input: "a", want: "A"}}, upper)
	runType(t, []row[string]{{input: "a", want: "a"}})
	all := arg.With(arg.ConverterFunc[[]string](func(_ context.Context, text string) ([]string, error) {
		return strings.Split(text, ","), nil
	}))
	runType(t, []row[[]string]{{input: "a,b", want: []string{"a", "b"}}}, all)
}

func TestErrorConditions(t *testing.T) {
	p := mustPlan[banArgs](t)
	for input, want := range map[string]error{
		"": arg.ErrMissing, "@a:hs --for": arg.ErrMissing, "@a:hs --reason a b": arg.ErrSurplus, "@a:hs --nope": arg.ErrUnknownFlag,
		"@a:hs --for 1h --for 1h": arg.ErrRepeated, "“": arg.ErrQuote, strings.Repeat("a", arg.MaxInput+1): arg.ErrTooLong,
	} {
		if err := p.Bind(t.Context(), arg.Input{Text: input}, new(banArgs)); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", input, err, want)
		}
	}
}

func TestBindWordLimit(t *testing.T) {
	type args struct{ Nums []int }
	p := mustPlan[args](t)
	var got args
	if err := p.Bind(t.Context(), arg.Input{Text: strings.Repeat("1 ", arg.MaxWords)}, &got); err != nil || len(got.Nums) != arg.MaxWords {
		t.Errorf("at the limit: %d, %v", len(got.Nums), err)
	}
	input := strings.Repeat("1 ", arg.MaxWords) + "23"
	checkError(t, p.Bind(t.Context(), arg.Input{Text: input}, &got), input, "there are more than 1000 words", "23")
	type values struct{ Data []any }
	checkError(t, mustPlan[values](t).Bind(t.Context(), arg.Input{Text: input}, new(values)), input, "there are more than 1000 words", "23")
	type rest struct {
		Text string `arg:",rest"`
	}
	if err := mustPlan[rest](t).Bind(t.Context(), arg.Input{Text: input}, new(rest)); err != nil {
		t.Errorf("rest counts words: %v", err)
	}
}

func TestPlanIsSafeForConcurrentUse(t *testing.T) {
	p := mustPlan[banArgs](t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			reason := strings.Repeat("x", i+1)
			for range 100 {
				var got banArgs
				if err := p.Bind(t.Context(), arg.Input{Text: "@a:hs -f 1h " + reason}, &got); err != nil || got.Reason != reason {
					t.Errorf("got %+v, %v", got, err)
					return
				}
				if p.Usage() == "" || len(p.Params()) != 3 {
					t.Error("the plan changed")
				}
			}
		})
	}
	group.Wait()
}

func TestNearest(t *testing.T) {
	names := []string{"ban", "Kick", "remind", "weather", "überall"}
	for word, want := range map[string]string{
		"bna": "ban", "bn": "ban", "band": "ban", "bxx": "", "kik": "Kick", "KICK": "Kick", "remnid": "remind", "rmnd": "remind",
		"wether": "weather", "wea": "", "x": "", "": "", "uberall": "überall", strings.Repeat("a", 100): "",
	} {
		got, ok := arg.Nearest(word, names)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", word, got, ok, want)
		}
	}
	if got, _ := arg.Nearest("cat", []string{"cut", "cats", "cat"}); got != "cat" {
		t.Errorf("got %q, want the name itself", got)
	}
	if got, ok := arg.Nearest("a", []string{"b"}); ok {
		t.Errorf("got %q for a word that shares nothing", got)
	}
}
