package arg_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

type Shared struct {
	Quiet bool `arg:"--quiet,-q"`
}

type BadDefault struct {
	For time.Duration `arg:"--for" default:"24x"`
}

type BadMany struct {
	A int    `min:"x"`
	B string `arg:"b,greedy"`
	C chan int
}

// tagged makes a struct with a tag that vet would not let stand in the source.
func tagged(tag reflect.StructTag) reflect.Type {
	return reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: tag}})
}

func TestNewPlanError(t *testing.T) {
	type local struct{ A int }
	tests := []struct {
		name string
		typ  reflect.Type
		want []string // one line each
	}{
		{"nil", nil, []string{"arg: the arguments must be a struct, not <nil>"}},
		{"no struct", reflect.TypeFor[int](), []string{"arg: the arguments must be a struct, not int"}},
		{"pointer", reflect.TypeFor[*local](), []string{"arg: the arguments must be a struct, not *arg_test.local"}},
		{"default", reflect.TypeFor[BadDefault](), []string{
			`arg: BadDefault.For: default "24x": "24x" is not a duration like 90s, 1h30m or 2d`}},
		{"all are told", reflect.TypeFor[BadMany](), []string{
			`arg: BadMany.A: min "x": "x" is not a whole number`,
			`arg: BadMany.B: unknown option "greedy"; the options are rest, optional and required`,
			"arg: BadMany.C: the type chan int is not supported; give it UnmarshalText or use With"}},

		{"unexported", reflect.TypeFor[struct {
			a int `arg:"a"`
		}](), []string{"arg: struct.a: an unexported field cannot be an argument"}},
		{"unexported with help", reflect.TypeFor[struct {
			a int `help:"x"`
		}](), []string{"arg: struct.a: an unexported field cannot be an argument"}},
		{"nested struct", reflect.TypeFor[struct{ A local }](), []string{
			"arg: struct.A: the type arg_test.local is not supported; embed it, give it UnmarshalText, or use With"}},
		{"embedded pointer", reflect.TypeFor[struct{ *Shared }](), []string{
			"arg: struct.Shared: embed arg_test.Shared itself, not a pointer to it"}},
		{"bytes", reflect.TypeFor[struct{ A []byte }](), []string{
			"arg: struct.A: the type []uint8 is not supported; use string or json.RawMessage"}},
		{"slice of slices", reflect.TypeFor[struct{ A [][]int }](), []string{
			"arg: struct.A: the type [][]int is not supported; give it UnmarshalText or use With"}},
		{"map", reflect.TypeFor[struct{ A map[int]int }](), []string{
			"arg: struct.A: the type map[int]int is not supported; give it UnmarshalText or use With"}},

		{"two names", reflect.TypeFor[struct {
			A int `arg:"x"`
			B int `arg:"X"`
		}](), []string{"arg: struct.B: has the name X, as has struct.A"}},
		{"name and flag", reflect.TypeFor[struct {
			A int
			B int `arg:"--a"`
		}](), []string{"arg: struct.B: has the name a, as has struct.A"}},
		{"embedded name", reflect.TypeFor[struct {
			Shared
			Quiet int
		}](), []string{"arg: struct.Quiet: has the name quiet, as has struct.Shared.Quiet"}},
		{"two letters", reflect.TypeFor[struct {
			A int `arg:"--a,-x"`
			B int `arg:"--b,-x"`
		}](), []string{"arg: struct.B: has the short flag -x, as has struct.A"}},
		{"two long flags", reflect.TypeFor[struct {
			A int `arg:"--a,--b"`
		}](), []string{"arg: struct.A: two long flags, --a and --b"}},
		{"two short flags", reflect.TypeFor[struct {
			A int `arg:"-a,-b"`
		}](), []string{"arg: struct.A: two short flags, -a and -b"}},
		{"long short flag", reflect.TypeFor[struct {
			A int `arg:"-abc"`
		}](), []string{"arg: struct.A: a short flag is - and one letter, not -abc"}},
		{"short flag digit", reflect.TypeFor[struct {
			A int `arg:"-1"`
		}](), []string{"arg: struct.A: a short flag is - and one letter, not -1"}},
		{"flag without name", reflect.TypeFor[struct {
			A int `arg:"--"`
		}](), []string{"arg: struct.A: -- without a name"}},
		{"name with flag", reflect.TypeFor[struct {
			A int `arg:"a,--b"`
		}](), []string{`arg: struct.A: "a" is both a name and a flag; give one`}},
		{"name with space", reflect.TypeFor[struct {
			A int `arg:"a b"`
		}](), []string{`arg: struct.A: the name "a b" must be letters, digits, - and _, and begin with a letter`}},
		{"name with digit first", reflect.TypeFor[struct {
			A int `arg:"--1a"`
		}](), []string{`arg: struct.A: the name "1a" must be letters, digits, - and _, and begin with a letter`}},
		{"option as name", reflect.TypeFor[struct {
			A string `arg:"rest"`
		}](), []string{`arg: struct.A: "rest" is an option, not a name; write ",rest" to keep the field's name`}},

		{"malformed tag", tagged(`arg:a`), []string{`arg: struct.A: malformed tag at "arg:a"; write key:"value" pairs with a space between`}},
		{"glued tags", tagged(`arg:"a"help:"b"`), []string{`arg: struct.A: malformed tag at "help:\"b\""; write key:"value" pairs with a space between`}},
		{"tag twice", reflect.TypeFor[struct {
			A string `help:"a" help:"b"`
		}](), []string{"arg: struct.A: the tag help stands twice"}},
		{"misspelt tag", reflect.TypeFor[struct {
			A string `defualt:"a" args:"x"`
		}](), []string{"arg: struct.A: unknown tag defualt; did you mean default?", "arg: struct.A: unknown tag args; did you mean arg?"}},
		{"choices and enum", reflect.TypeFor[struct {
			A string `choices:"a" enum:"b"`
		}](), []string{"arg: struct.A: choices and enum are the same; give one"}},

		{"optional and required", reflect.TypeFor[struct {
			A string `arg:",optional,required"`
		}](), []string{"arg: struct.A: both optional and required"}},
		{"required with default", reflect.TypeFor[struct {
			A string `arg:"--a,required" default:"x"`
		}](), []string{"arg: struct.A: required, but has a default"}},
		{"required bool", reflect.TypeFor[struct {
			A bool `arg:"--a,required"`
		}](), []string{"arg: struct.A: a yes-or-no flag cannot be required"}},
		{"rest flag", reflect.TypeFor[struct {
			A string `arg:"--a,rest"`
		}](), []string{"arg: struct.A: a flag cannot take the rest"}},
		{"rest int", reflect.TypeFor[struct {
			A int `arg:",rest"`
		}](), []string{"arg: struct.A: rest makes no sense for a whole number"}},
		{"rest user", reflect.TypeFor[struct {
			A id.UserID `arg:",rest"`
		}](), []string{"arg: struct.A: rest makes no sense for a user"}},
		{"rest slice", reflect.TypeFor[struct {
			A []string `arg:",rest"`
		}](), []string{"arg: struct.A: a slice cannot take the rest; use string, or leave out rest"}},

		{"after rest", reflect.TypeFor[struct {
			A string `arg:",rest"`
			B string
		}](), []string{"arg: struct.A: takes the rest, so struct.B cannot follow"}},
		{"two slices", reflect.TypeFor[struct{ A, B []int }](), []string{
			"arg: struct.A: cannot be told apart from struct.B; make one of them a flag"}},
		{"greedy text first", reflect.TypeFor[struct {
			A []string
			B []int
		}](), []string{"arg: struct.A: cannot be told apart from struct.B; make one of them a flag"}},
		{"slice, then the same", reflect.TypeFor[struct {
			A []int
			B *int
			C int
		}](), []string{"arg: struct.A: cannot be told apart from struct.B; make one of them a flag",
			"arg: struct.B: cannot be told apart from struct.C; make one of them a flag"}},
		{"optional text first", reflect.TypeFor[struct {
			A *string
			B int
		}](), []string{"arg: struct.A: cannot be told apart from struct.B; make one of them a flag"}},
		{"optional text, then rest", reflect.TypeFor[struct {
			A string `default:"x"`
			B string `arg:",rest"`
		}](), []string{"arg: struct.A: cannot be told apart from struct.B; make one of them a flag"}},

		{"min of text", reflect.TypeFor[struct {
			A string `min:"1" max:"2"`
		}](), []string{"arg: struct.A: min makes no sense for a text; use len", "arg: struct.A: max makes no sense for a text; use len"}},
		{"min of user", reflect.TypeFor[struct {
			A id.UserID `min:"1"`
		}](), []string{"arg: struct.A: min makes no sense for a user"}},
		{"min above max", reflect.TypeFor[struct {
			A int `min:"2" max:"1"`
		}](), []string{"arg: struct.A: min 2 is above max 1"}},
		{"min out of range", reflect.TypeFor[struct {
			A int8 `min:"200"`
		}](), []string{`arg: struct.A: min "200": "200" is not between -128 and 127`}},
		{"default below min", reflect.TypeFor[struct {
			A int `min:"2" default:"1"`
		}](), []string{`arg: struct.A: default "1": "1" must be at least 2`}},
		{"len of int", reflect.TypeFor[struct {
			A int `len:"1..2"`
		}](), []string{"arg: struct.A: len makes no sense for a whole number"}},
		{"len form", reflect.TypeFor[struct {
			A string `len:"1-2"`
		}](), []string{`arg: struct.A: len "1-2": not of the form 2..5`}},
		{"len empty", reflect.TypeFor[struct {
			A string `len:".."`
		}](), []string{`arg: struct.A: len "..": not of the form 2..5`}},
		{"len negative", reflect.TypeFor[struct {
			A string `len:"-1.."`
		}](), []string{`arg: struct.A: len "-1..": not of the form 2..5`}},
		{"len reversed", reflect.TypeFor[struct {
			A string `len:"2..1"`
		}](), []string{`arg: struct.A: len "2..1": the first number is above the second`}},
		{"len zero", reflect.TypeFor[struct {
			A string `len:"0"`
		}](), []string{`arg: struct.A: len "0": leaves room for nothing`}},
		{"default against len", reflect.TypeFor[struct {
			A string `len:"3.." default:"ab"`
		}](), []string{`arg: struct.A: default "ab": "ab" must have at least 3 characters`}},
		{"default count", reflect.TypeFor[struct {
			A []int `len:"3.." default:"1 2"`
		}](), []string{`arg: struct.A: default "1 2": at least 3 values needed, got 2`}},
		{"default too many", reflect.TypeFor[struct {
			A []int `len:"..1" default:"1 2"`
		}](), []string{`arg: struct.A: default "1 2": at most 1 value allowed, got 2`}},
		{"default word", reflect.TypeFor[struct {
			A []int `default:"1 x"`
		}](), []string{`arg: struct.A: default "1 x": "x" is not a whole number`}},
		{"default quote", reflect.TypeFor[struct {
			A []string `default:"\"a"`
		}](), []string{"arg: struct.A: default \"\\\"a\": the quote \" is not closed; write \\\" for the mark itself"}},
		{"match of int", reflect.TypeFor[struct {
			A int `match:"1"`
		}](), []string{"arg: struct.A: match makes no sense for a whole number"}},
		{"match no regexp", reflect.TypeFor[struct {
			A string `match:"("`
		}](), []string{"arg: struct.A: match \"(\": not a regular expression: error parsing regexp: missing closing ): `^(?:()$`"}},
		{"default against match", reflect.TypeFor[struct {
			A string `match:"[a-z]+" default:"a1"`
		}](), []string{`arg: struct.A: default "a1": "a1" does not have the form [a-z]+`}},
		{"empty choice", reflect.TypeFor[struct {
			A string `choices:"a,,b"`
		}](), []string{`arg: struct.A: choices "a,,b": an empty choice`}},
		{"choice twice", reflect.TypeFor[struct {
			A string `choices:"a,b,A"`
		}](), []string{`arg: struct.A: choices "a,b,A": A stands twice`}},
		{"choice of wrong type", reflect.TypeFor[struct {
			A int `choices:"1,b"`
		}](), []string{`arg: struct.A: choices "1,b": "b" is not a whole number`}},
		{"choices of flag", reflect.TypeFor[struct {
			A bool `arg:"--a" choices:"yes"`
		}](), []string{"arg: struct.A: choices make no sense for a yes-or-no flag"}},
		{"default not chosen", reflect.TypeFor[struct {
			A string `choices:"red,green" default:"gren"`
		}](), []string{`arg: struct.A: default "gren": "gren" is not one of red, green; did you mean green?`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := arg.NewPlan(tt.typ)
			if err == nil {
				t.Fatalf("got plan %q, want error\n%s", p.Usage(), strings.Join(tt.want, "\n"))
			}
			got := strings.Split(err.Error(), "\n")
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", err, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestNewPlanLimit(t *testing.T) {
	var fields []reflect.StructField
	for i := range arg.MaxParams + 1 {
		name := string(rune('A'+i/26)) + string(rune('A'+i%26))
		fields = append(fields, reflect.StructField{Name: name, Type: reflect.TypeFor[int]()})
	}
	if _, err := arg.NewPlan(reflect.StructOf(fields)); err == nil || err.Error() != "arg: struct: 65 parameters; there can be 64" {
		t.Errorf("got %v", err)
	}
	p, err := arg.NewPlan(reflect.StructOf(fields[:arg.MaxParams]))
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(reflect.StructOf(fields[:arg.MaxParams]))
	if err := p.Bind(t.Context(), arg.Input{Text: strings.Repeat("7 ", arg.MaxParams)}, v.Interface()); err != nil {
		t.Fatal(err)
	}
	if got := v.Elem().Field(arg.MaxParams - 1).Int(); got != 7 {
		t.Errorf("the last of %d parameters is %d, want 7", arg.MaxParams, got)
	}
}

func TestWithNil(t *testing.T) {
	if _, err := arg.NewPlan(reflect.TypeFor[one[int]](), arg.With[int](nil)); err == nil || err.Error() != "arg: nil converter for int" {
		t.Errorf("got %v", err)
	}
}

type usageArgs struct {
	User   id.UserID       `arg:"user" help:"who"`
	Rooms  []id.RoomID     `arg:"rooms" len:"1..3"`
	Count  *int            `arg:"count" min:"1" max:"9"`
	For    time.Duration   `arg:"--for,-f" default:"24h"`
	Until  time.Time       `arg:"--until"`
	Tags   []string        `arg:"--tag,-t"`
	Color  string          `arg:"--color,required" choices:"red, green"`
	Title  string          `arg:"--title" default:"no title" len:"..20" match:"[a-z ]+"`
	Data   json.RawMessage `arg:"--data" default:"{\"a\": 1}"`
	Force  bool            `arg:"--force"`
	hidden int
	Skip   int    `arg:"-"`
	Reason string `arg:"reason,rest,optional"`
}

func TestUsage(t *testing.T) {
	_ = usageArgs{hidden: 1}
	tests := []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[struct{}](), ""},
		{reflect.TypeFor[banArgs](), "<user> [--for 24h] [reason…]"},
		{reflect.TypeFor[usageArgs](), "<user> <rooms…> [count] [--for 24h] [--until <time>] [--tag <text>…] --color <red|green> " +
			`[--title "no title"] [--data {"a": 1}] [--force] [reason…]`},
		{reflect.TypeFor[struct{ MaxAge, RoomID, HTMLBody, URL, X1 string }](), "<max-age> <room-id> <html-body> <url> <x1>"},
		{reflect.TypeFor[struct {
			A []int `len:"0..2"`
		}](), "[a…]"},
		{reflect.TypeFor[struct {
			A string `arg:"text,rest"`
		}](), "<text…>"},
		{reflect.TypeFor[struct {
			LongName int `arg:"-l"`
		}](), "[--long-name <whole number>]"},
	}
	for _, tt := range tests {
		p, err := arg.NewPlan(tt.typ)
		if err != nil {
			t.Error(err)
		} else if got := p.Usage(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestParams(t *testing.T) {
	p := mustPlan[usageArgs](t)
	got := p.Params()
	if len(got) != 11 {
		t.Fatalf("got %d parameters, want 11", len(got))
	}
	for i, want := range []arg.Param{
		{Name: "user", Field: "usageArgs.User", Help: "who", Kind: arg.KindUser, Type: reflect.TypeFor[id.UserID](), Required: true, MinLen: -1, MaxLen: -1},
		{Name: "rooms", Field: "usageArgs.Rooms", Kind: arg.KindRoom, Type: reflect.TypeFor[[]id.RoomID](), Required: true, Repeated: true, MinLen: 1, MaxLen: 3},
		{Name: "count", Field: "usageArgs.Count", Kind: arg.KindInteger, Type: reflect.TypeFor[*int](), Min: "1", Max: "9", MinLen: -1, MaxLen: -1},
		{Name: "for", Field: "usageArgs.For", Kind: arg.KindDuration, Type: reflect.TypeFor[time.Duration](), Flag: true, Short: 'f', Default: "24h", HasDefault: true, MinLen: -1, MaxLen: -1},
		{Name: "until", Field: "usageArgs.Until", Kind: arg.KindTime, Type: reflect.TypeFor[time.Time](), Flag: true, MinLen: -1, MaxLen: -1},
		{Name: "tag", Field: "usageArgs.Tags", Kind: arg.KindText, Type: reflect.TypeFor[[]string](), Repeated: true, Flag: true, Short: 't', MinLen: -1, MaxLen: -1},
		{Name: "color", Field: "usageArgs.Color", Kind: arg.KindText, Type: reflect.TypeFor[string](), Required: true, Flag: true, Choices: []string{"red", "green"}, MinLen: -1, MaxLen: -1},
		{Name: "title", Field: "usageArgs.Title", Kind: arg.KindText, Type: reflect.TypeFor[string](), Flag: true, Default: "no title", HasDefault: true, MinLen: -1, MaxLen: 20, Match: "[a-z ]+"},
		{Name: "data", Field: "usageArgs.Data", Kind: arg.KindJSON, Type: reflect.TypeFor[json.RawMessage](), Flag: true, Default: `{"a": 1}`, HasDefault: true, MinLen: -1, MaxLen: -1},
		{Name: "force", Field: "usageArgs.Force", Kind: arg.KindBool, Type: reflect.TypeFor[bool](), Flag: true, MinLen: -1, MaxLen: -1},
		{Name: "reason", Field: "usageArgs.Reason", Kind: arg.KindText, Type: reflect.TypeFor[string](), Rest: true, MinLen: -1, MaxLen: -1},
	} {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("got  %+v\nwant %+v", got[i], want)
		}
	}
	got[6].Choices[0] = "blue"
	if p.Params()[6].Choices[0] != "red" {
		t.Error("a caller can change the plan")
	}
}

func TestBindDestination(t *testing.T) {
	p := mustPlan[banArgs](t)
	var nilArgs *banArgs
	for _, dst := range []any{nil, banArgs{}, new(int), nilArgs, new(one[int])} {
		err := p.Bind(t.Context(), arg.Input{Text: "@a:hs"}, dst)
		if _, isArg := errors.AsType[*arg.Error](err); err == nil || isArg || !strings.HasPrefix(err.Error(), "arg: bind needs a *arg_test.banArgs, not ") {
			t.Errorf("%T: got %v", dst, err)
		}
	}
}

func TestBindContext(t *testing.T) {
	type key struct{}
	type word string
	plan := mustPlan[one[word]](t, arg.With(arg.ConverterFunc[word](func(ctx context.Context, text string) (word, error) {
		return word(text + ctx.Value(key{}).(string)), nil
	})))
	var got one[word]
	if err := plan.Bind(context.WithValue(t.Context(), key{}, "!"), arg.Input{Text: "a"}, &got); err != nil || got.X != "a!" {
		t.Errorf("got %q, %v", got.X, err)
	}
}
