package arg_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

func ExamplePlan_BindValues() {
	plan, err := arg.NewPlan(reflect.TypeFor[BanArgs]())
	if err != nil {
		fmt.Println(err)
		return
	}
	var args BanArgs
	values := arg.Values{JSON: json.RawMessage(`{"user": "@mallory:example.org", "for": "1d12h"}`)}
	fmt.Println(plan.BindValues(context.Background(), values, &args))
	fmt.Println(args.User, args.For, args.Reason)
	values.JSON = json.RawMessage(`{"user": "@mallory:example.org", "for": "24x"}`)
	err = plan.BindValues(context.Background(), values, &args)
	if wrong, ok := errors.AsType[*arg.Error](err); ok {
		fmt.Println(wrong)
		fmt.Println(wrong.Pointer())
	}
	// Output:
	// <nil>
	// @mallory:example.org 36h0m0s no reason
	// for: "24x" is not a duration like 90s, 1h30m or 2d
	// --user @mallory:example.org --for 24x
	//                                   ^^^
}

func bindInto(t *testing.T, plan *arg.Plan, form string, dst any) error {
	resolver := arg.ResolverFunc(func(_ context.Context, alias id.RoomAlias) (id.RoomID, error) {
		if alias == "#gone:example.org" {
			return "", arg.Reject("there is no room %s", alias)
		}
		return "!found:example.org", nil
	})
	return plan.BindValues(t.Context(), arg.Values{JSON: json.RawMessage(form), Resolver: resolver}, dst)
}

func TestBindValues(t *testing.T) {
	type args = struct {
		Text    string            `arg:"text,optional"`
		Count   int8              `arg:"--count" min:"-5"`
		Ratio   float64           `arg:"--ratio"`
		Sure    bool              `arg:"--sure"`
		For     time.Duration     `arg:"--for" default:"24h" max:"48h"`
		Code    arg.CodeBlock     `arg:"--code"`
		Data    map[string]any    `arg:"--data"`
		User    id.UserID         `arg:"--user"`
		Room    id.RoomID         `arg:"--room"`
		Alias   id.RoomAlias      `arg:"--alias"`
		Event   id.EventID        `arg:"--event"`
		Where   arg.Link          `arg:"--where"`
		Sort    string            `arg:"--sort" choices:"up,down"`
		Level   int               `arg:"--level" choices:"1,2,3"`
		Pointer *int              `arg:"--pointer"`
		Tags    []string          `arg:"--tags" len:"..3"`
		Numbers []int             `arg:"--numbers" default:"1 2"`
		Many    []json.RawMessage `arg:"--many"`
	}
	plan, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		t.Fatal(err)
	}
	usual := args{For: 24 * time.Hour, Numbers: []int{1, 2}}
	with := func(change func(*args)) args {
		a := usual
		change(&a)
		return a
	}
	seven := 7
	for _, test := range []struct {
		name, form string
		want       args
	}{
		{"nothing", ``, usual},
		{"null", `null`, usual},
		{"empty", `{}`, usual},
		{"null is not given", `{"text":null,"tags":null,"numbers":null}`, usual},
		{"text", `{"text":"don't \"stop\"\nnow  "}`, with(func(a *args) { a.Text = "don't \"stop\"\nnow  " })},
		{"text like a flag", `{"text":"--sure"}`, with(func(a *args) { a.Text = "--sure" })},
		{"name in another case", `{"TEXT":"x"}`, with(func(a *args) { a.Text = "x" })},
		{"integer", `{"count":-5}`, with(func(a *args) { a.Count = -5 })},
		{"integer as text", `{"count":"12"}`, with(func(a *args) { a.Count = 12 })},
		{"number", `{"ratio":1.5}`, with(func(a *args) { a.Ratio = 1.5 })},
		{"number as text", `{"ratio":"1.5"}`, with(func(a *args) { a.Ratio = 1.5 })},
		{"true", `{"sure":true}`, with(func(a *args) { a.Sure = true })},
		{"false", `{"sure":false}`, usual},
		{"bool word", `{"sure":"yes"}`, with(func(a *args) { a.Sure = true })},
		{"duration", `{"for":"90m"}`, with(func(a *args) { a.For = 90 * time.Minute })},
		{"code", `{"code":"` + "```go\\nx\\n```" + `"}`,
			with(func(a *args) { a.Code = arg.CodeBlock{Language: "go", Body: "x"} })},
		{"plain code", `{"code":"x := 1"}`, with(func(a *args) { a.Code = arg.CodeBlock{Body: "x := 1"} })},
		{"object", `{"data":{"a":[1]}}`, with(func(a *args) { a.Data = map[string]any{"a": []any{1.0}} })},
		{"object as text", `{"data":"{\"a\":[1]}"}`,
			with(func(a *args) { a.Data = map[string]any{"a": []any{1.0}} })},
		{"user", `{"user":"@a:b"}`, with(func(a *args) { a.User = "@a:b" })},
		{"user link", `{"user":"https://matrix.to/#/@a:b"}`, with(func(a *args) { a.User = "@a:b" })},
		{"room id", `{"room":"!x:b"}`, with(func(a *args) { a.Room = "!x:b" })},
		{"room object", `{"room":{"type":"room_id","id":"!x/y?:b","via":["c"]}}`,
			with(func(a *args) { a.Room = "!x/y?:b" })},
		{"room without server", `{"room":{"type":"room_id","id":"!abc"}}`, with(func(a *args) { a.Room = "!abc" })},
		{"room by alias", `{"room":"#x:b"}`, with(func(a *args) { a.Room = "!found:example.org" })},
		{"alias", `{"alias":"#x:b"}`, with(func(a *args) { a.Alias = "#x:b" })},
		{"event id", `{"event":"$e"}`, with(func(a *args) { a.Event = "$e" })},
		{"event object", `{"event":{"type":"event_id","id":"!x:b","event_id":"$e/f"}}`,
			with(func(a *args) { a.Event = "$e/f" })},
		{"link object", `{"where":{"type":"event_id","id":"!x:b","event_id":"$e","via":["c","d"]}}`,
			with(func(a *args) { a.Where = arg.Link{Room: "!x:b", Event: "$e", Via: []string{"c", "d"}} })},
		{"choice", `{"sort":"UP"}`, with(func(a *args) { a.Sort = "up" })},
		{"choice of numbers", `{"level":2}`, with(func(a *args) { a.Level = 2 })},
		{"pointer", `{"pointer":7}`, with(func(a *args) { a.Pointer = &seven })},
		{"list", `{"tags":["a b","","c"]}`, with(func(a *args) { a.Tags = []string{"a b", "", "c"} })},
		{"one for a list", `{"tags":"a b"}`, with(func(a *args) { a.Tags = []string{"a b"} })},
		{"list in two", `{"tags":["a"],"Tags":["b"]}`, with(func(a *args) { a.Tags = []string{"a", "b"} })},
		{"empty list", `{"tags":[]}`, usual},
		{"empty list over a default", `{"numbers":[]}`, with(func(a *args) { a.Numbers = nil })},
		{"list over a default", `{"numbers":[3]}`, with(func(a *args) { a.Numbers = []int{3} })},
		{"list of anything", `{"many":[{"a":1},[2]]}`,
			with(func(a *args) { a.Many = []json.RawMessage{json.RawMessage(`{"a":1}`), json.RawMessage(`[2]`)} })},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := args{Text: "before", Numbers: []int{9}}
			if err := bindInto(t, plan, test.form, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestBindValuesError(t *testing.T) {
	type args = struct {
		User  id.UserID     `arg:"user"`
		Count int8          `arg:"--count" min:"-5"`
		Sure  bool          `arg:"--sure"`
		For   time.Duration `arg:"--for" max:"48h"`
		Text  string        `arg:"--text" len:"..3"`
		Room  id.RoomID     `arg:"--room"`
		Event id.EventID    `arg:"--event"`
		Sort  string        `arg:"--sort" choices:"up,down"`
		Tags  []string      `arg:"--tags" len:"..2"`
		Need  []int         `arg:"--need,required" len:"2.."`
	}
	plan, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		t.Fatal(err)
	}
	const user = `"user":"@a:b",`
	const full = user + `"need":[1,2],`
	for _, test := range []struct {
		name, form string
		reason     string // With the parameter
		at         string // What Offset and End enclose
		is         error
	}{
		{"missing", `{}`, "user: missing; expected a user id like @name:example.org", "", arg.ErrMissing},
		{"missing flag", `{"user":"@a:b"}`, "need: missing; expected --need with a whole number", "", arg.ErrMissing},
		{"missing for null", `{"user":null,"need":[1,2]}`,
			"user: missing; expected a user id like @name:example.org", "", arg.ErrMissing},
		{"unknown", `{` + full + `"coumt":1}`,
			`unknown argument "coumt"; did you mean count?`, "--coumt", arg.ErrUnknownFlag},
		{"unknown null", `{` + full + `"zzz":null}`, `unknown argument "zzz"`, "--zzz", arg.ErrUnknownFlag},
		{"twice", `{` + full + `"count":1,"COUNT":2}`, "count: given twice", "--count", arg.ErrRepeated},
		{"text for integer", `{` + full + `"count":"many"}`, `count: "many" is not a whole number`, "many", nil},
		{"bool for integer", `{` + full + `"count":true}`, `count: "true" is not a whole number`, "true", nil},
		{"float for integer", `{` + full + `"count":1.5}`, `count: "1.5" is not a whole number`, "1.5", nil},
		{"integer out of range", `{` + full + `"count":128}`, `count: "128" is not between -128 and 127`, "128", nil},
		{"integer below min", `{` + full + `"count":-6}`, `count: "-6" must be at least -5`, `"-6"`, nil},
		{"integer for bool", `{` + full + `"sure":2}`, `sure: "2" is not yes or no`, "2", nil},
		{"integer for duration", `{` + full + `"for":5}`,
			`for: "5" has no unit; write s, m, h, d or w behind the number`, "5", nil},
		{"duration above max", `{` + full + `"for":"49h"}`, `for: "49h" must be at most 48h`, "49h", nil},
		{"integer for text", `{` + full + `"text":42}`, `text: 42 is not text`, "42", nil},
		{"bool for text", `{` + full + `"text":true}`, `text: true is not text`, "true", nil},
		{"object for text", `{` + full + `"text":{"a":1}}`, `text: an object is not text`, `{"a":1}`, nil},
		{"room for integer", `{` + full + `"count":{"type":"room_id","id":"!a:b"}}`,
			`count: "https://matrix.to/#/%21a:b" is not a whole number`, "https://matrix.to/#/%21a:b", nil},
		{"room for text", `{` + full + `"text":{"type":"room_id","id":"!a:b"}}`, `text: an object is not text`,
			`{"type":"room_id","id":"!a:b"}`, nil},
		{"list for text", `{` + full + `"text":["a"]}`, `text: a list is not text`, `["a"]`, nil},
		{"long text", `{` + full + `"text":"four"}`, `text: "four" must have at most 3 characters`, "four", nil},
		{"integer for user", `{"user":5}`, `user: "5" is not a user id like @name:example.org`, "5", nil},
		{"room for user", `{"user":{"type":"room_id","id":"!a:b"}}`,
			`user: "https://matrix.to/#/%21a:b" is not a user id like @name:example.org`, "https://matrix.to/#/%21a:b", nil},
		{"object for user", `{"user":{"type":"user_id","id":"@a:b"}}`,
			`user: an object is not a user id like @name:example.org`,
			`{"type":"user_id","id":"@a:b"}`, nil},
		{"event for room", `{` + full + `"room":{"type":"event_id","id":"!a:b","event_id":"$e"}}`,
			`room: "https://matrix.to/#/%21a:b/$e" is not a room id or alias like #room:example.org`,
			"https://matrix.to/#/%21a:b/$e", nil},
		{"room for event", `{` + full + `"event":{"type":"room_id","id":"!a:b","event_id":"$e"}}`,
			`event: "https://matrix.to/#/%21a:b" is not an event id or a link to a message`, "https://matrix.to/#/%21a:b", nil},
		{"unknown alias", `{` + full + `"room":"#gone:example.org"}`,
			"room: there is no room #gone:example.org", "#gone:example.org", nil},
		{"choice", `{` + full + `"sort":"dowm"}`,
			`sort: "dowm" is not one of up, down; did you mean down?`, "dowm", nil},
		{"too many", `{` + full + `"tags":["a","b","c"]}`, `tags: at most 2 values allowed`, "c", arg.ErrSurplus},
		{"too few", `{"user":"@a:b","need":[1]}`, `need: at least 2 values needed, got 1`, "", arg.ErrMissing},
		{"empty list", `{"user":"@a:b","need":[]}`,
			`need: missing; expected --need with a whole number`, "", arg.ErrMissing},
		{"element", `{"user":"@a:b","need":[1,"x"]}`, `need: "x" is not a whole number`, "x", nil},
		{"list in a list", `{"user":"@a:b","need":[[1],2]}`, `need: a list is not a whole number`, "[1]", nil},
		{"null in a list", `{"user":"@a:b","need":[1,null]}`, `need: "null" is not a whole number`, "null", nil},
		{"no object", `["@a:b"]`, "the arguments are no JSON object", `["@a:b"]`, nil},
		{"no JSON", `{"user":`, "the arguments are no JSON object", `{"user":`, nil},
		{"more than an object", `{} {}`, "the arguments are no JSON object", `{} {}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := bindInto(t, plan, test.form, new(args))
			wrong, ok := errors.AsType[*arg.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if wrong.Error() != test.reason {
				t.Errorf("error %q\nwant  %q", wrong, test.reason)
			}
			if at := wrong.Text[wrong.Offset:wrong.End]; at != test.at {
				t.Errorf("it points to %q in %q, want %q", at, wrong.Text, test.at)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("it is no %v", test.is)
			}
		})
	}
}

func TestBindValuesLimits(t *testing.T) {
	type args struct {
		Tags []string        `arg:"tags,optional"`
		Data json.RawMessage `arg:"--data"`
	}
	plan, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		t.Fatal(err)
	}
	many := `{"tags":["a"` + strings.Repeat(`,"a"`, arg.MaxWords) + `]}`
	long := `{"data":"` + strings.Repeat("a", arg.MaxInput) + `"}`
	deep := `{"data":` + strings.Repeat("[", arg.MaxDepth) + strings.Repeat("]", arg.MaxDepth) + `}`
	for _, test := range []struct{ form, want string }{
		{many, "tags: there are more than 1000 values"},
		{long, "the text is longer than 65536 bytes"},
		{deep, "the JSON nests deeper than 100 levels"},
	} {
		if err := bindInto(t, plan, test.form, new(args)); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

func TestBindValuesTroubleIsNotTheUsers(t *testing.T) {
	type args struct {
		Room id.RoomID `arg:"room"`
	}
	plan, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		t.Fatal(err)
	}
	err = plan.BindValues(t.Context(), arg.Values{JSON: json.RawMessage(`{"room":"#a:b"}`)}, new(args))
	if _, ok := errors.AsType[*arg.Error](err); ok || !errors.Is(err, arg.ErrNoResolver) {
		t.Errorf("error %v", err)
	}
	if err := plan.BindValues(t.Context(), arg.Values{}, args{}); err == nil {
		t.Error("bound into what is no pointer")
	}
}

// What is typed and what is filled into a form come out the same.
func FuzzBindValues(f *testing.F) {
	type args struct {
		Text  string        `arg:"text,optional"`
		Count int           `arg:"--count"`
		Sure  bool          `arg:"--sure"`
		For   time.Duration `arg:"--for" default:"1h"`
		User  id.UserID     `arg:"--user"`
		Room  id.RoomID     `arg:"--room"`
		Tags  []string      `arg:"--tags"`
		Data  any           `arg:"--data"`
	}
	plan, err := arg.NewPlan(reflect.TypeFor[args]())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		`{"text":"a \"b","count":5,"sure":true,"tags":["x","--y"]}`, `{"room":{"type":"room_id","id":"!a","via":["b"]}}`,
		`{"tags":[[1],null]}`, `{"data":{"a":[null]}}`, `{"":1,"\n":2}`, `{"sure":false,"sure":true}`, `[]`,
		`{"a"`, "{\"text\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		var got args
		err := plan.BindValues(t.Context(), arg.Values{JSON: json.RawMessage(form)}, &got)
		if wrong, ok := errors.AsType[*arg.Error](err); ok {
			if wrong.Offset < 0 || wrong.Offset > wrong.End || wrong.End > len(wrong.Text) || wrong.Reason == "" {
				t.Fatalf("%+v", wrong)
			}
			wrong.Pointer()
			return
		}
		if err != nil || got.Data != nil {
			return
		}
		var again args
		typed := "--text " + arg.Quote(got.Text)
		for _, tag := range got.Tags {
			typed += " --tags " + arg.Quote(tag)
		}
		if err := plan.Bind(t.Context(), arg.Input{Text: typed}, &again); err != nil {
			t.Fatalf("%s: %v", typed, err)
		}
		if again.Text != got.Text || len(again.Tags) != len(got.Tags) {
			t.Fatalf("typed %+v, filled in %+v", again, got)
		}
	})
}
