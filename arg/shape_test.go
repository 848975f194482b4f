package arg_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

func ptr[T any](v T) *T { return &v }

func TestBindOptional(t *testing.T) {
	type args struct {
		Count *int
		Room  *id.RoomID `arg:"room"`
		Wait  time.Duration
		Note  string `arg:"note,optional"`
		Level int    `arg:"level" default:"3"`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "5m", want: args{nil, nil, 5 * time.Minute, "", 3}},
		{input: "2 5m", want: args{ptr(2), nil, 5 * time.Minute, "", 3}},
		{input: "!a 5m", want: args{nil, ptr(id.RoomID("!a")), 5 * time.Minute, "", 3}},
		{input: "2 !a 5m x 7", want: args{ptr(2), ptr(id.RoomID("!a")), 5 * time.Minute, "x", 7}},
		{input: "5m 7", want: args{nil, nil, 5 * time.Minute, "7", 3}},
		{input: "5m --level 7 x", want: args{nil, nil, 5 * time.Minute, "x", 7}},
		{input: "--wait 5m 2", want: args{ptr(2), nil, 5 * time.Minute, "", 3}},
		{input: "x", wantErr: `wait: "x" is not a duration like 90s, 1h30m or 2d`, blame: "x"},
		{input: "2", wantErr: "wait: missing; expected a duration like 90s, 1h30m or 2d"},
		{input: "2 3", wantErr: `wait: "3" has no unit; write s, m, h, d or w behind the number`, blame: "3"},
		{input: "5m x y", wantErr: `level: "y" is not a whole number`, blame: "y"},
		{input: "5m x 7 y", wantErr: `"y" is one argument too many; put quotes around text with spaces`, blame: "y"},
	})
}

// A word that no parameter takes is blamed with the reason of the last one that could have taken it.
func TestBindRefused(t *testing.T) {
	type args struct {
		A *int
		B *time.Duration
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "", want: args{}},
		{input: "1m", want: args{B: ptr(time.Minute)}},
		{input: "x", wantErr: `b: "x" is not a duration like 90s, 1h30m or 2d`, blame: "x"},
		{input: "1 1m 2", wantErr: `"2" is one argument too many; put quotes around text with spaces`, blame: "2"},
		{input: "1m 1", wantErr: `"1" is one argument too many; put quotes around text with spaces`, blame: "1"},
	})
	type named struct {
		A *int
		B *int
	}
	runBind(t, mustPlan[named](t), []bindTest[named]{
		{input: "--b 1 x", wantErr: `a: "x" is not a whole number`, blame: "x"},
		{input: "--b 1 2", want: named{ptr(2), ptr(1)}},
		{input: "1", want: named{A: ptr(1)}},
	})
}

func TestBindNothing(t *testing.T) {
	type args struct{}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: ""},
		{input: "  \n"},
		{input: "--"},
		{input: "x y", wantErr: `"x" is one argument too many`, blame: "x"},
		{input: "--x", wantErr: `unknown flag "--x"; write -- before text that begins with a dash`, blame: "--x"},
	})
}

func TestBindSlice(t *testing.T) {
	type args struct {
		Users []id.UserID
		Days  []int  `len:"0..2"`
		Why   string `arg:"why,rest" default:"none"`
	}
	users := func(ids ...id.UserID) []id.UserID { return ids }
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "@a:hs", want: args{users("@a:hs"), nil, "none"}},
		{input: "@a:hs @b:hs @c:hs", want: args{users("@a:hs", "@b:hs", "@c:hs"), nil, "none"}},
		{input: "@a:hs @b:hs 1 2", want: args{users("@a:hs", "@b:hs"), []int{1, 2}, "none"}},
		{input: "@a:hs 1 2 3 4", want: args{users("@a:hs"), []int{1, 2}, "3 4"}},
		{input: "@a:hs why  not", want: args{users("@a:hs"), nil, "why  not"}},
		{input: `@a:hs "why not" @b:hs`, want: args{users("@a:hs"), nil, `"why not" @b:hs`}},
		{input: "--users @a:hs --users @b:hs x", want: args{users("@a:hs", "@b:hs"), nil, "x"}},
		{input: "--users @a:hs @b:hs", want: args{users("@a:hs"), nil, "@b:hs"}},
		{input: "@a:hs --days 1 @b:hs", want: args{users("@a:hs", "@b:hs"), []int{1}, "none"}},
		{input: "@a:hs --users @b:hs @c:hs", want: args{users("@a:hs", "@b:hs", "@c:hs"), nil, "none"}},
		{input: "", wantErr: "users: missing; expected a user id like @name:example.org"}, // nio-bot 42
		{input: "x", wantErr: `users: "x" is not a user id like @name:example.org`, blame: "x"},
		{input: "@a:hs --days 1 --days 2 --days 3", wantErr: "days: at most 2 values allowed", blame: "3"},
	})
}

func TestBindSliceCount(t *testing.T) {
	type args struct {
		Pair  []string `len:"2"`
		Nums  []int    `len:"2..3" min:"0"`
		Names []string `arg:",optional"`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "a b 1 2", want: args{[]string{"a", "b"}, []int{1, 2}, nil}},
		{input: "a b 1 2 3 4", want: args{[]string{"a", "b"}, []int{1, 2, 3}, []string{"4"}}},
		{input: "1 2 3 4 c d", want: args{[]string{"1", "2"}, []int{3, 4}, []string{"c", "d"}}},
		{input: "a b 1 c", wantErr: `nums: "c" is not a whole number`, blame: "c"},
		{input: "a b -1", wantErr: `nums: "-1" must be at least 0`, blame: "-1"},
		{input: "a b 1", wantErr: "nums: at least 2 values needed, got 1"},
		{input: "a", wantErr: "pair: at least 2 values needed, got 1"},
		{input: "a b", wantErr: "nums: missing; expected a whole number"},
	})
	type all struct {
		Words []string `len:"..2"`
	}
	runBind(t, mustPlan[all](t), []bindTest[all]{
		{input: `"a b" ""`, want: all{[]string{"a b", ""}}},
		{input: "a b c", wantErr: `"c" is one argument too many; put quotes around text with spaces`, blame: "c"},
	})
	type preset struct {
		Words []string `default:"a \"b c\""`
		Sizes []int8   `arg:"--size" default:"1 2"`
	}
	runBind(t, mustPlan[preset](t), []bindTest[preset]{
		{input: "", want: preset{[]string{"a", "b c"}, []int8{1, 2}}},
		{input: "x", want: preset{[]string{"x"}, []int8{1, 2}}},
		{input: "--size 3", want: preset{[]string{"a", "b c"}, []int8{3}}},
	})
}

func TestBindEmbedded(t *testing.T) {
	type inner struct {
		Level int `arg:"--level,-l" default:"1"`
	}
	type args struct {
		Shared
		inner
		Name  string
		Skip  int `arg:"-"`
		other int
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "a -q -l 5", want: args{Shared{true}, inner{5}, "a", 0, 0}},
		{input: "a", want: args{Shared{}, inner{1}, "a", 0, 0}},
	})
	got := args{Skip: 7, other: 8}
	if err := mustPlan[args](t).Bind(t.Context(), arg.Input{Text: "a"}, &got); err != nil || got.Skip != 7 || got.other != 8 {
		t.Errorf("fields that are no parameters: got %+v, %v", got, err)
	}
}

func TestBindFlags(t *testing.T) {
	type args struct {
		All   bool     `arg:"--all,-a"`
		Off   bool     `arg:"--off" default:"yes"`
		Limit *int     `arg:"--limit,-L" min:"-9" max:"9"`
		Tags  []string `arg:"--tag,-t"`
		On    *bool    `arg:"--on"`
		Ü     string   `arg:"--übung,-ü"`
		Place bool     `arg:"place,optional"`
		Text  string   `arg:"text,optional"`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "", want: args{Off: true}},
		{input: "--all", want: args{All: true, Off: true}},
		{input: "-a", want: args{All: true, Off: true}},
		{input: "--all=no", want: args{Off: true}},
		{input: "-a=yes --off=off", want: args{All: true}},
		{input: "--all yes", want: args{All: true, Off: true, Place: true}},
		{input: "--on", want: args{On: ptr(true), Off: true}},
		{input: "--on=0", want: args{On: ptr(false), Off: true}},
		{input: "--place no x", want: args{Off: true, Text: "x"}},
		{input: "--limit -5", want: args{Limit: ptr(-5), Off: true}},
		{input: "--limit=-5", want: args{Limit: ptr(-5), Off: true}},
		{input: "-L 5 -t a -t=b --tag \"c d\"", want: args{Limit: ptr(5), Tags: []string{"a", "b", "c d"}, Off: true}},
		{input: "--tag=", want: args{Tags: []string{""}, Off: true}},
		{input: "--tag= x", want: args{Tags: []string{""}, Off: true, Text: "x"}},
		{input: "--tag -x", want: args{Tags: []string{"-x"}, Off: true}},
		{input: `--tag "--all"`, want: args{Tags: []string{"--all"}, Off: true}},
		{input: "--tag ''", want: args{Tags: []string{""}, Off: true}},
		{input: "-ü x", want: args{Ü: "x", Off: true}},
		{input: "--ÜBUNG=x", want: args{Ü: "x", Off: true}},
		{input: "-- --all", want: args{Text: "--all", Off: true}},
		{input: "x -- ", want: args{Text: "x", Off: true}},
		{input: "--text x", want: args{Text: "x", Off: true}},

		{input: "--all=maybe", wantErr: `all: "maybe" is not yes or no`, blame: "maybe"},
		{input: "--all=", wantErr: `all: "" is not yes or no`},
		{input: "--all --all", wantErr: "all: given twice", blame: "--all"},
		{input: "--limit", wantErr: "limit: a value is needed after --limit: a whole number", blame: "--limit"},
		{input: "--limit --all", wantErr: "limit: a value is needed after --limit: a whole number", blame: "--limit"},
		{input: "--limit 10", wantErr: `limit: "10" must be at most 9`, blame: "10"},
		{input: "--limit -10", wantErr: `limit: "-10" must be at least -9`, blame: "-10"},
		{input: "-l 5", wantErr: `unknown flag "-l"; write -- before text that begins with a dash`, blame: "-l"},
		{input: "--limt 5", wantErr: `unknown flag "--limt"; did you mean --limit?`, blame: "--limt"},
		{input: "--tag=\"a", wantErr: "the quote \" is not closed; write \\\" for the mark itself", blame: `"`},
	})
}

func TestBindLimits(t *testing.T) {
	type color string
	type args struct {
		Color color         `choices:"red, green, blue"`
		Size  int           `arg:"--size" choices:"1,2,3"`
		Code  string        `arg:"--code" match:"[A-Z]{2}\\d+|x"`
		Name  string        `arg:"--name" len:"2..4"`
		Wait  time.Duration `arg:"--wait" min:"1m" max:"1d"`
		When  time.Time     `arg:"--when" min:"2026-01-01"`
		Ratio float64       `arg:"--ratio" min:"0" max:"1"`
		Port  uint16        `arg:"--port" min:"1024"`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "red", want: args{Color: "red"}},
		{input: "GREEN --size 2", want: args{Color: "green", Size: 2}},
		{input: "red --code AB12", want: args{Color: "red", Code: "AB12"}},
		{input: "red --name äöüß", want: args{Color: "red", Name: "äöüß"}},
		{input: "red --wait 1d", want: args{Color: "red", Wait: 24 * time.Hour}},
		{input: "red --ratio 0.5 --port 1024", want: args{Color: "red", Ratio: .5, Port: 1024}},
		{input: "red --when 2026-01-01", want: args{Color: "red", When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{input: "", wantErr: "color: missing; expected one of red, green, blue"},
		{input: "gren", wantErr: `color: "gren" is not one of red, green, blue; did you mean green?`, blame: "gren"},
		{input: "pink", wantErr: `color: "pink" is not one of red, green, blue`, blame: "pink"},
		{input: "red --size 4", wantErr: `size: "4" is not one of 1, 2, 3`, blame: "4"},
		{input: "red --code AB", wantErr: `code: "AB" does not have the form [A-Z]{2}\d+|x`, blame: "AB"},
		{input: "red --code AB1x", wantErr: `code: "AB1x" does not have the form [A-Z]{2}\d+|x`, blame: "AB1x"},
		{input: "red --name ä", wantErr: `name: "ä" must have at least 2 characters`, blame: "ä"},
		{input: "red --name abcde", wantErr: `name: "abcde" must have at most 4 characters`, blame: "abcde"},
		{input: "red --wait 59s", wantErr: `wait: "59s" must be at least 1m`, blame: "59s"},
		{input: "red --wait 25h", wantErr: `wait: "25h" must be at most 1d`, blame: "25h"},
		{input: "red --when 2025-12-31", wantErr: `when: "2025-12-31" must be at least 2026-01-01`, blame: "2025-12-31"},
		{input: "red --ratio 1.01", wantErr: `ratio: "1.01" must be at most 1`, blame: "1.01"},
		{input: "red --port 80", wantErr: `port: "80" must be at least 1024`, blame: "80"},
	})
}

func TestBindURL(t *testing.T) {
	const not = " is not a URL like https://example.org"
	u := &url.URL{Scheme: "https", Host: "example.org", Path: "/a", RawQuery: "b=c"}
	runType(t, []row[*url.URL]{
		{input: "https://example.org/a?b=c", want: u},
		{input: "<https://example.org/a?b=c>", want: u},
		{input: "example.org", wantErr: `"example.org"` + not},
		{input: "https:///x", wantErr: `"https:///x"` + not},
		{input: "https://%zz", wantErr: `"https://%zz"` + not},
		{input: "mailto:a@b", wantErr: `"mailto:a@b"` + not},
	})
	runType(t, []row[url.URL]{{input: "https://example.org/a?b=c", want: *u}})
	type absent struct {
		U **url.URL
	}
	runBind(t, mustPlan[absent](t), []bindTest[absent]{
		{input: "", want: absent{}},
		{input: "https://example.org/a?b=c", want: absent{&u}},
	})
}

func TestBindJSON(t *testing.T) {
	type args struct {
		Data json.RawMessage
		Any  any            `arg:"--any"`
		Map  map[string]int `arg:"--map"`
		Note string         `arg:"note,optional"`
	}
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: `{"a": [1, 2]}`, want: args{Data: raw(`{"a": [1, 2]}`)}},
		{input: `{"a": 1} x`, want: args{Data: raw(`{"a": 1}`), Note: "x"}},
		{input: `"a b" x`, want: args{Data: raw(`"a b"`), Note: "x"}},
		{input: "5 x", want: args{Data: raw("5"), Note: "x"}},
		{input: "null", want: args{Data: raw("null")}},
		{input: "{\n\"a\":\n1}", want: args{Data: raw("{\n\"a\":\n1}")}},
		{input: `[] --any {"b": [true, null, 1.5]}`, want: args{Data: raw("[]"), Any: map[string]any{"b": []any{true, nil, 1.5}}}},
		{input: `[] --map={"b": 2} x`, want: args{Data: raw("[]"), Map: map[string]int{"b": 2}, Note: "x"}},
		{input: `{"a": "}"}`, want: args{Data: raw(`{"a": "}"}`)}},
		{input: "{a}", wantErr: `data: "{a}" does not begin a valid JSON value`, blame: "{a}"},
		{input: `{"a": 1`, wantErr: `data: "{\"a\":" does not begin a valid JSON value`, blame: `{"a":`},
		{input: `{"a": 1}x`, wantErr: "data: a space is needed after the JSON", blame: "x"},
		{input: "hello", wantErr: `data: "hello" does not begin a valid JSON value`, blame: "hello"},
		{input: `[] --map {"b":"x"}`, wantErr: "map: the JSON holds this where it does not fit: string", blame: `{"b":"x"}`},
		{input: `[] --map [1]`, wantErr: "map: the JSON holds this where it does not fit: array", blame: `[1]`},
		{input: `[] --any=`, wantErr: `any: "" is not valid JSON`},
		{input: deep(101), wantErr: "data: the JSON nests deeper than 100 levels", blame: deep(101)},
		{input: deep(100), want: args{Data: raw(deep(100))}},
		{input: "5 " + deep(101), want: args{Data: raw("5"), Note: deep(101)}},
	})
	type rest struct {
		Data any `arg:"data,rest"`
	}
	runBind(t, mustPlan[rest](t), []bindTest[rest]{
		{input: ` {"a": 1} `, want: rest{map[string]any{"a": 1.}}},
		{input: `{"a": 1} x`, wantErr: `data: "{\"a\": 1} x" is not valid JSON`, blame: `{"a": 1} x`},
	})
}

func deep(levels int) string {
	b := make([]byte, 2*levels)
	for i := range levels {
		b[i], b[levels+i] = '[', ']'
	}
	return string(b)
}

func TestBindCode(t *testing.T) {
	type args struct {
		Code arg.CodeBlock
		Note string `arg:"note,optional"`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "```go\nx := 1\ny := 2\n```", want: args{Code: arg.CodeBlock{Language: "go", Body: "x := 1\ny := 2"}}},
		{input: "```\nx\n\n``` after", want: args{Code: arg.CodeBlock{Body: "x\n"}, Note: "after"}},
		{input: "```x = 1```", want: args{Code: arg.CodeBlock{Body: "x = 1"}}},
		{input: "```select *\nfrom x\n```", want: args{Code: arg.CodeBlock{Body: "select *\nfrom x"}}},
		{input: "```go\r\nx\r\n```", want: args{Code: arg.CodeBlock{Language: "go", Body: "x"}}},
		{input: "````\n```\n````", want: args{Code: arg.CodeBlock{Body: "```"}}},
		{input: "`a b` after", want: args{Code: arg.CodeBlock{Body: "a b"}, Note: "after"}},
		{input: "``a`b``", want: args{Code: arg.CodeBlock{Body: "a`b"}}},
		{input: "x", wantErr: "code: \"x\" is not a code block between ``` and ```", blame: "x"},
		{input: "```go\nx", wantErr: "code: the code block is not closed", blame: "```go"},
		{input: "``", wantErr: "code: the code block is not closed", blame: "``"},
		{input: "`a`b", wantErr: "code: a space is needed after the code block", blame: "b"},
	})
	type rest struct {
		Code arg.CodeBlock `arg:"code,rest"`
	}
	runBind(t, mustPlan[rest](t), []bindTest[rest]{
		{input: "x := 1\ny", want: rest{arg.CodeBlock{Body: "x := 1\ny"}}},
		{input: "```go\nx\n```\n", want: rest{arg.CodeBlock{Language: "go", Body: "x"}}},
		{input: "```x``` y", wantErr: "code: there is more text after the code block", blame: "```x``` y"},
		{input: "```x", wantErr: "code: the code block is not closed", blame: "```x"},
	})
}

func TestBindTextUnmarshaler(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.1")
	runType(t, []row[netip.Addr]{
		{input: "10.0.0.1", want: addr},
		{input: "10.0.0", wantErr: `"10.0.0" is not a valid addr`},
	})
	type args struct {
		Addrs []netip.Addr
		Net   *netip.Prefix
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: "10.0.0.1 10.0.0.1 10.0.0.0/8", want: args{[]netip.Addr{addr, addr}, ptr(netip.MustParsePrefix("10.0.0.0/8"))}},
		{input: "10.0.0.1", want: args{[]netip.Addr{addr}, nil}},
		{input: "10.0.0.1 x", wantErr: `net: "x" is not a valid prefix`, blame: "x"},
	})
}

// A struct that is used again keeps nothing of its last use, and defaults are not shared between uses.
func TestBindReuse(t *testing.T) {
	type args struct {
		Nums []int          `default:"1 2"`
		Map  map[string]int `arg:"--map" default:"{\"a\": 1}"`
		Opt  *int           `arg:"--opt"`
		Set  bool           `arg:"--set"`
		Name string         `arg:"--name" default:"x"`
	}
	p := mustPlan[args](t)
	first := args{Nums: []int{7, 7, 7}, Opt: ptr(1), Set: true, Name: "old"}
	old := first.Nums
	want := args{Nums: []int{1, 2}, Map: map[string]int{"a": 1}, Name: "x"}
	if err := p.Bind(t.Context(), arg.Input{}, &first); err != nil || !reflect.DeepEqual(first, want) {
		t.Fatalf("got %+v, %v, want %+v", first, err, want)
	}
	first.Nums[0], first.Map["a"] = 9, 9
	var second args
	if err := p.Bind(t.Context(), arg.Input{}, &second); err != nil || !reflect.DeepEqual(second, want) {
		t.Errorf("the default was changed by its user: got %+v, %v", second, err)
	}
	first.Nums = old
	if err := p.Bind(t.Context(), arg.Input{Text: "5"}, &first); err != nil || old[0] != 7 || !reflect.DeepEqual(first.Nums, []int{5}) {
		t.Errorf("got %v, %v, and the slice from before is %v", first.Nums, err, old)
	}
}

// nio-bot 39: there a default is lost.
func TestDefaultIsUsedWhenNothingIsGiven(t *testing.T) {
	type args struct {
		Count int    `default:"5"`
		Empty string `default:""`
	}
	runBind(t, mustPlan[args](t), []bindTest[args]{{input: "", want: args{5, ""}}, {input: "6 x", want: args{6, "x"}}})
	if params := mustPlan[args](t).Params(); !params[1].HasDefault || params[1].Required {
		t.Errorf("an empty default is none: %+v", params[1])
	}
}

// nio-bot 40: there a greedy command still complains of too many arguments.
func TestSliceTakesAllWords(t *testing.T) {
	type args struct{ Words []string }
	runBind(t, mustPlan[args](t), []bindTest[args]{
		{input: `a "b c" d`, want: args{[]string{"a", "b c", "d"}}},
	})
}

// nio-bot 53: there parsing a link to a user makes a room.
func TestUserLinkIsOnlyRead(t *testing.T) {
	type args struct {
		User id.UserID
		Link arg.Link
	}
	resolver := arg.ResolverFunc(func(_ context.Context, alias id.RoomAlias) (id.RoomID, error) {
		t.Errorf("the server was asked for %s", alias)
		return "", nil
	})
	const link = "https://matrix.to/#/@a:hs"
	var got args
	err := mustPlan[args](t).Bind(t.Context(), arg.Input{Text: link + " https://matrix.to/#/#b:hs", Resolver: resolver}, &got)
	if want := (args{"@a:hs", arg.Link{Alias: "#b:hs"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEmbeddedValueIsOneArgument(t *testing.T) {
	type args struct{ netip.Addr }
	runBind(t, mustPlan[args](t), []bindTest[args]{{input: "10.0.0.1", want: args{netip.MustParseAddr("10.0.0.1")}}})
}

type picky string

func (p *picky) UnmarshalText(text []byte) error {
	if string(text) == "reject" {
		return arg.Reject("not this one")
	}
	*p = picky(text)
	return nil
}

func TestBindMore(t *testing.T) {
	runType(t, []row[picky]{{input: "a", want: "a"}, {input: "reject", wantErr: "not this one"}})

	type colors struct {
		Color string `arg:"color,rest" choices:"light red,blue"`
	}
	runBind(t, mustPlan[colors](t), []bindTest[colors]{
		{input: " Light Red ", want: colors{"light red"}},
		{input: "red  --x", wantErr: `color: "red  --x" is not one of light red, blue`, blame: "red  --x"},
	})

	type sized struct {
		Name string `arg:"name" len:"1"`
		Nums []int  `arg:"--num" len:"1..1" default:"4"`
	}
	runBind(t, mustPlan[sized](t), []bindTest[sized]{
		{input: "ß", want: sized{"ß", []int{4}}},
		{input: "ab", wantErr: `name: "ab" must have at most 1 character`, blame: "ab"},
		{input: "a --num 1 --num 2", wantErr: "num: at most 1 value allowed", blame: "2"},
		{input: `a "b`, wantErr: "the quote \" is not closed; write \\\" for the mark itself", blame: `"`},
	})

	type needed struct {
		Key  string `arg:"--key,required"`
		Room string `arg:"--room,-r"`
		Full string `arg:"-f"`
	}
	runBind(t, mustPlan[needed](t), []bindTest[needed]{
		{input: "--key x", want: needed{Key: "x"}},
		{input: "", wantErr: "key: missing; expected --key with text"},
		{input: "-key x", wantErr: `unknown flag "-key"; did you mean --key?`, blame: "-key"},
		{input: "-F x", wantErr: `unknown flag "-F"; write -- before text that begins with a dash`, blame: "-F"},
		{input: "-full=x", wantErr: `unknown flag "-full"; did you mean --full?`, blame: "-full"},
	})

	type mention struct {
		User id.UserID
		Note string `arg:"note,optional"`
	}
	runBind(t, mustPlan[mention](t), []bindTest[mention]{
		{input: "[A\nB](https://matrix.to/#/@a:hs)", wantErr: `user: "[A" is not a user id like @name:example.org`, blame: "[A"},
		{input: "[A](https://matrix.to/#/@a:hs),", wantErr: `user: "[A](https://matrix.to/#/@a:hs)," is not a user id like @name:example.org`, blame: "[A](https://matrix.to/#/@a:hs),"},
		{input: "[A](https://matrix.to/#/@a:hs) x", want: mention{"@a:hs", "x"}},
		{input: "[A](https://matrix.to/#/!a:hs) x", wantErr: `user: "https://matrix.to/#/!a:hs" is not a user id like @name:example.org`, blame: "[A](https://matrix.to/#/!a:hs)"},
	})
}

// Trouble with a rest argument is not the user's fault either.
func TestBindRestTrouble(t *testing.T) {
	type word string
	type args struct {
		Text word `arg:"text,rest"`
	}
	down := errors.New("down")
	p := mustPlan[args](t, arg.With(arg.ConverterFunc[word](func(context.Context, string) (word, error) { return "", down })))
	err := p.Bind(t.Context(), arg.Input{Text: "a b"}, new(args))
	if _, isArg := errors.AsType[*arg.Error](err); isArg || !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}
