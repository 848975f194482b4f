package docs_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// argumentTypes are the types that commands.md has a row for.
var argumentTypes = map[string]reflect.Type{
	"string":              reflect.TypeFor[string](),
	"bool":                reflect.TypeFor[bool](),
	"int":                 reflect.TypeFor[int](),
	"uint8":               reflect.TypeFor[uint8](),
	"float64":             reflect.TypeFor[float64](),
	"time.Duration":       reflect.TypeFor[time.Duration](),
	"time.Time":           reflect.TypeFor[time.Time](),
	"*url.URL":            reflect.TypeFor[*url.URL](),
	"json.RawMessage":     reflect.TypeFor[json.RawMessage](),
	"map[string]any":      reflect.TypeFor[map[string]any](),
	"arg.CodeBlock":       reflect.TypeFor[arg.CodeBlock](),
	"id.UserID":           reflect.TypeFor[id.UserID](),
	"id.RoomID":           reflect.TypeFor[id.RoomID](),
	"id.RoomAlias":        reflect.TypeFor[id.RoomAlias](),
	"id.EventID":          reflect.TypeFor[id.EventID](),
	"arg.Link":            reflect.TypeFor[arg.Link](),
	"arg.ServerName":      reflect.TypeFor[arg.ServerName](),
	"id.ContentURIString": reflect.TypeFor[id.ContentURIString](),
	"[]int":               reflect.TypeFor[[]int](),
	"*int":                reflect.TypeFor[*int](),
}

var codeSpan = regexp.MustCompile("``? ?(.+?) ?``?(?:,|$)")

// Each example of the table is taken for the type of its row, and nothing that is called wrong is.
func TestTableOfArgumentsIsRight(t *testing.T) {
	text := documents(t)["commands.md"]
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+?) \\| (.*?) \\|$")
	seen := make(map[string]bool)
	for _, row := range rows.FindAllStringSubmatch(text, -1) {
		typ, ok := argumentTypes[row[1]]
		if !ok {
			continue // A row of another table.
		}
		seen[row[1]] = true
		args := reflect.StructOf([]reflect.StructField{{Name: "Value", Type: typ}})
		plan, err := arg.NewPlan(args)
		if err != nil {
			t.Fatal(err)
		}
		for column, right := range map[int]bool{2: true, 3: false} {
			for _, example := range codeSpan.FindAllStringSubmatch(strings.ReplaceAll(row[column], `\|`, "|"), -1) {
				err := plan.Bind(t.Context(), arg.Input{Text: example[1]}, reflect.New(args).Interface())
				if (err == nil) != right {
					t.Errorf("%s: %q: %v", row[1], example[1], err)
				}
			}
		}
	}
	for name := range argumentTypes {
		if !seen[name] {
			t.Errorf("there is no row for %s", name)
		}
	}
}
