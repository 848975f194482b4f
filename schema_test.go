package niobot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/event/cmdschema/testdata"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
)

func ExampleBot_CommandSchemas() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "secret", Prefixes: []string{"!"},
	}, niobot.WithHelp(nil)))
	defer bot.Close()
	type rollArgs struct {
		Sides int    `arg:"sides" default:"6" help:"of the die"`
		Sort  string `arg:"--sort" choices:"up,down"`
	}
	bot.Add(niobot.NewCommand("roll", func(ctx context.Context, c *niobot.Context, a rollArgs) error { return nil },
		niobot.Describe("Roll a die.")))
	for _, schema := range bot.CommandSchemas() {
		fmt.Println(schema.Command, "-", schema.Description.Text[0].Body)
		for _, p := range schema.Parameters {
			fmt.Println(p.Key, p.Schema.SchemaType, p.Schema.Type, p.Optional, p.DefaultValue)
		}
	}
	// Output:
	// roll - Roll a die.
	// sides primitive integer true 6
	// sort union  true <nil>
}

// typed is a command with arguments of type A that does nothing.
func typed[A any](name string, opts ...niobot.CommandOption) *niobot.Command {
	return niobot.NewCommand(name, func(context.Context, *niobot.Context, A) error { return nil }, opts...)
}

// schemas are the descriptions that a bot makes of commands.
func schemas(t *testing.T, commands ...*niobot.Command) []*cmdschema.EventContent {
	t.Helper()
	bot := newBot(t, niobot.WithHelp(nil))
	bot.Add(commands...)
	all := bot.CommandSchemas()
	for _, schema := range all {
		if err := schema.Validate(); err != nil {
			t.Errorf("%s: %v", schema.Command, err)
		}
	}
	return all
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSchemaOfEachKind(t *testing.T) {
	type args struct {
		Text   string            `arg:"text" help:"anything"`
		Rest   string            `arg:"tail,rest,optional"`
		Count  int8              `arg:"--count" default:"-3"`
		Huge   int64             `arg:"--huge" default:"9007199254740993"`
		Ratio  float64           `arg:"--ratio,required"`
		Sure   bool              `arg:"--sure"`
		For    time.Duration     `arg:"--for" default:"1h"`
		User   id.UserID         `arg:"--user"`
		Room   *id.RoomID        `arg:"--room"`
		Alias  id.RoomAlias      `arg:"--alias"`
		Event  id.EventID        `arg:"--event"`
		Said   *niobot.Message   `arg:"--said"`
		Here   *niobot.Room      `arg:"--here"`
		Server arg.ServerName    `arg:"--server"`
		Where  arg.Link          `arg:"--where"`
		Level  int               `arg:"--level" choices:"1,2" default:"2"`
		Sort   string            `arg:"--sort" choices:"up,down" default:"up"`
		Tags   []string          `arg:"--tags" default:"a b"`
		Rooms  []id.RoomID       `arg:"--rooms"`
		Sorts  []string          `arg:"--sorts" choices:"x,y"`
		Data   map[string]string `arg:"--data"`
	}
	got := schemas(t, typed[args]("all"))
	if len(got) != 1 {
		t.Fatalf("%d descriptions", len(got))
	}
	const text, integer = `{"schema_type":"primitive","type":"string"}`, `{"schema_type":"primitive","type":"integer"}`
	const room = `{"schema_type":"union","variants":[{"schema_type":"primitive","type":"room_id"},` +
		`{"schema_type":"primitive","type":"room_alias"}]}`
	want := []string{
		`{"key":"text","schema":` + text + `,"description":{"m.text":[{"mimetype":"text/plain","body":"anything"}]}}`,
		`{"key":"ratio","schema":` + text + `}`,
		`{"key":"tail","schema":` + text + `,"optional":true}`,
		`{"key":"count","schema":` + integer + `,"optional":true,"fi.mau.default_value":-3}`,
		`{"key":"huge","schema":` + integer + `,"optional":true}`,
		`{"key":"sure","schema":{"schema_type":"primitive","type":"boolean"},"optional":true}`,
		`{"key":"for","schema":` + text + `,"optional":true,"fi.mau.default_value":"1h"}`,
		`{"key":"user","schema":{"schema_type":"primitive","type":"user_id"},"optional":true}`,
		`{"key":"room","schema":` + room + `,"optional":true}`,
		`{"key":"alias","schema":{"schema_type":"primitive","type":"room_alias"},"optional":true}`,
		`{"key":"event","schema":{"schema_type":"primitive","type":"event_id"},"optional":true}`,
		`{"key":"said","schema":{"schema_type":"primitive","type":"event_id"},"optional":true}`,
		`{"key":"here","schema":` + room + `,"optional":true}`,
		`{"key":"server","schema":{"schema_type":"primitive","type":"server_name"},"optional":true}`,
		`{"key":"where","schema":{"schema_type":"union","variants":[{"schema_type":"primitive","type":"user_id"},` +
			`{"schema_type":"primitive","type":"room_id"},{"schema_type":"primitive","type":"room_alias"},` +
			`{"schema_type":"primitive","type":"event_id"}]},"optional":true}`,
		`{"key":"level","schema":{"schema_type":"union","variants":[{"schema_type":"literal","value":1},` +
			`{"schema_type":"literal","value":2}]},"optional":true,"fi.mau.default_value":2}`,
		`{"key":"sort","schema":{"schema_type":"union","variants":[{"schema_type":"literal","value":"up"},` +
			`{"schema_type":"literal","value":"down"}]},"optional":true,"fi.mau.default_value":"up"}`,
		`{"key":"tags","schema":{"schema_type":"array","items":` + text + `},"optional":true}`,
		`{"key":"rooms","schema":{"schema_type":"array","items":` + room + `},"optional":true}`,
		`{"key":"sorts","schema":{"schema_type":"array","items":{"schema_type":"union","variants":[` +
			`{"schema_type":"literal","value":"x"},{"schema_type":"literal","value":"y"}]}},"optional":true}`,
		`{"key":"data","schema":` + text + `,"optional":true}`,
	}
	if got[0].TailParam != "tail" {
		t.Errorf("the tail is %q", got[0].TailParam)
	}
	for i, p := range got[0].Parameters {
		if made := asJSON(t, p); i >= len(want) || made != want[i] {
			t.Errorf("parameter %d is %s", i, made)
		}
	}
}

func TestSchemasOfATree(t *testing.T) {
	all := schemas(t,
		niobot.NewGroup("config", niobot.Sub(
			typed[niobot.NoArgs]("get", niobot.Alias("g", "show")),
			typed[niobot.NoArgs]("drop", niobot.Disable()),
			niobot.NewGroup("deep", niobot.Sub(typed[niobot.NoArgs]("er"))),
		)),
		typed[niobot.NoArgs]("list", niobot.Alias("ls"), niobot.Sub(typed[niobot.NoArgs]("all"))),
		typed[niobot.NoArgs]("secret", niobot.Hide()),
		niobot.NewGroup("hidden", niobot.Hide(), niobot.Sub(typed[niobot.NoArgs]("below"))),
	)
	var got []string
	for _, schema := range all {
		got = append(got, strings.Join(append([]string{schema.Command}, schema.Aliases...), "|"))
	}
	want := []string{"config get|config g|config show", "config deep er", "list|ls", "list all"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sameText tells whether two JSON texts hold the same.
func sameText(t testing.TB, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// vectors is a file of mautrix's test vectors for MSC4391.
type vectors struct {
	Spec  cmdschema.EventContent
	Tests []struct {
		Name, Input, Broken string
		Error               bool
		Output              json.RawMessage
	}
}

func readVectors(t *testing.T, name string) (v vectors) {
	t.Helper()
	text, err := testdata.FS.ReadFile(path.Join("commands", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// testVectors holds a command to a file of vectors. Its description must be the one of the file; a client that reads
// the input by that must get the output; and input and output must be bound to the same arguments.
func testVectors[A any](t *testing.T, name string, cmd *niobot.Command) {
	v := readVectors(t, name)
	schema := schemas(t, cmd)[0]
	for _, p := range v.Spec.Parameters {
		p.DefaultValue = nil
	}
	if got, want := asJSON(t, schema), asJSON(t, v.Spec); got != want {
		t.Errorf("described as %s\nwant         %s", got, want)
	}
	plan, err := arg.NewPlan(reflect.TypeFor[A]())
	if err != nil {
		t.Fatal(err)
	}
	resolver := arg.ResolverFunc(func(_ context.Context, alias id.RoomAlias) (id.RoomID, error) {
		return id.RoomID("!" + alias[1:]), nil
	})
	for _, test := range v.Tests {
		t.Run(test.Name, func(t *testing.T) {
			if test.Broken != "" {
				t.Skip(test.Broken)
			}
			read, err := schema.ParseInput("@testbot", []string{"/"}, test.Input)
			if (err != nil) != test.Error {
				t.Errorf("read with error %v", err)
			}
			got := "null"
			if read != nil {
				got = string(read.MSC4391BotCommand.Arguments)
			}
			if !sameText(t, got, string(test.Output)) {
				t.Errorf("read as %s, want %s", got, test.Output)
			}
			if string(test.Output) == "null" {
				return // It is for another bot.
			}
			text := strings.TrimPrefix(strings.TrimPrefix(test.Input, "/"+schema.Command), "@testbot")
			var filled, said A
			err = plan.Bind(t.Context(), arg.Input{Text: text, Resolver: resolver}, &said)
			if (err != nil) != test.Error {
				t.Errorf("said with error %v", err)
			}
			if test.Error {
				return
			}
			if err := plan.BindValues(t.Context(), arg.Values{JSON: test.Output, Resolver: resolver}, &filled); err != nil {
				t.Errorf("filled in with error %v", err)
			}
			if !reflect.DeepEqual(said, filled) || reflect.ValueOf(filled).IsZero() {
				t.Errorf("said %+v, filled in %+v", said, filled)
			}
		})
	}
}

func TestVectorsOfMSC4391(t *testing.T) {
	type simple struct {
		Meow string `arg:"meow"`
	}
	type tail struct {
		Meow   string `arg:"meow"`
		Reason string `arg:"reason,rest,optional"`
		Woof   bool   `arg:"--woof"`
	}
	type flags struct {
		Meow string    `arg:"meow"`
		User id.UserID `arg:"user,optional"`
		Woof bool      `arg:"--woof"`
	}
	type room struct {
		Room id.RoomID `arg:"room"`
	}
	type rooms struct {
		Rooms []id.RoomID `arg:"rooms"`
	}
	test := func(cmd *niobot.Command) *niobot.Command { return niobot.NewGroup("test", niobot.Sub(cmd)) }
	reference := func(cmd *niobot.Command) *niobot.Command { return test(niobot.NewGroup("room", niobot.Sub(cmd))) }
	t.Run("simple", func(t *testing.T) { testVectors[simple](t, "simple", test(typed[simple]("simple"))) })
	t.Run("tail", func(t *testing.T) { testVectors[tail](t, "tail", typed[tail]("tail")) })
	t.Run("flags", func(t *testing.T) { testVectors[flags](t, "flags", typed[flags]("flag")) })
	t.Run("room", func(t *testing.T) { testVectors[room](t, "room_id_or_alias", reference(typed[room]("reference"))) })
	t.Run("rooms", func(t *testing.T) {
		testVectors[rooms](t, "room_reference_list", reference(typed[rooms]("reference")))
	})
	files, err := testdata.FS.ReadDir("commands")
	if err != nil || len(files) != 5 {
		t.Errorf("there are %d files of vectors, %v; five are tested", len(files), err)
	}
}
