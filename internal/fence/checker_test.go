package fence

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// sound is a made-up module that keeps every rule, and uses each exception.
func sound() graph {
	const m = module
	return graph{
		m: {
			imports: []string{m + "/arg", m + "/render", m + "/internal/syncjson", mautrix},
			tests:   []string{"testing", m + "/niobottest"},
		},
		m + "/arg":               {imports: []string{"fmt"}, tests: []string{"testing"}},
		m + "/arg/argtest":       {imports: []string{m + "/arg", "testing"}},
		m + "/render":            {imports: []string{mautrix + "/format"}},
		m + "/attachment":        {imports: []string{mautrix + "/crypto/attachment"}},
		m + "/internal/syncjson": {imports: []string{mautrix + "/event"}},
		m + "/internal/fakehs":   {imports: []string{mautrix}},
		m + "/internal/golden":   {imports: []string{"testing"}},
		m + "/internal/cli":      {imports: []string{m, m + "/internal/fakehs", m + "/e2ee", m + "/store/sqlite"}},
		m + "/cmd/niobot":        {imports: []string{m + "/internal/cli"}},
		m + "/niobottest":        {imports: []string{m, m + "/internal/fakehs", "testing"}},
		m + "/store/sqlite":      {imports: []string{m, "modernc.org/sqlite"}},
		m + "/store/postgres":    {imports: []string{m, "github.com/jackc/pgx/v5/stdlib"}},
		m + "/store/storetest":   {imports: []string{m, "testing"}},
		m + "/e2ee":              {imports: []string{m, mautrix + "/crypto", mautrix + "/crypto/verificationhelper"}},
		m + "/release":           {imports: []string{"golang.org/x/mod/semver"}},
		m + "/release/announce":  {imports: []string{m, m + "/release", mautrix}, tests: []string{m + "/internal/fakehs"}},
		m + "/release/notice":    {imports: []string{m, m + "/release"}},
		mautrix:                  {imports: []string{mautrix + "/event", mautrix + "/crypto/goolm/aessha2"}},
		mautrix + "/format":      {imports: []string{mautrix + "/event"}},
		mautrix + "/event":       {imports: []string{mautrix + "/crypto/attachment"}},
	}
}

func TestASoundGraphBreaksNoRule(t *testing.T) {
	for _, line := range violations(sound()) {
		t.Error(line)
	}
}

func TestEveryRuleCanBeBroken(t *testing.T) {
	const m = module
	for _, tt := range []struct {
		rule     string // its name begins with this
		from, to string // an import that is added to the sound graph
		inTest   bool
		want     string // the chain in the message, without the module's path
	}{
		{rule: "leaves import", from: m + "/arg", to: m, want: "/arg → "},
		{rule: "leaves import", from: m + "/arg", to: m + "/render", want: "/arg → /render"},
		{
			rule: "leaves import", from: m + "/arg/argtest",
			to: m + "/internal/golden", want: "/arg/argtest → /internal/golden",
		},
		{
			rule: "leaves import", from: m + "/internal/syncjson",
			to: m + "/internal/fakehs", want: "/internal/syncjson → /internal/fakehs",
		},
		{rule: "leaves import", from: m + "/internal/fakehs", to: m, want: "/internal/fakehs → "},
		{rule: "niobot imports leaves", from: m, to: m + "/store/sqlite", want: " → /store/sqlite"},
		{rule: "niobot imports leaves", from: m, to: m + "/internal/fakehs", want: " → /internal/fakehs"},
		{rule: "niobot imports leaves", from: m, to: m + "/release", want: " → /release"},
		{
			rule: "niobot has no SQL", from: mautrix,
			to: "github.com/mattn/go-sqlite3", want: " → " + mautrix + " → github.com/mattn/go-sqlite3",
		},
		{
			rule: "niobot has no encryption", from: m + "/render",
			to: mautrix + "/crypto", want: " → /render → " + mautrix + "/crypto",
		},
		{
			rule: "niobot has no encryption", from: mautrix + "/format",
			to:   mautrix + "/crypto/goolm/session",
			want: " → /render → " + mautrix + "/format → " + mautrix + "/crypto/goolm/session",
		},
		{rule: "niobot does not test", from: m + "/arg", to: "testing", want: " → /arg → testing"},
		{
			rule: "niobot does not test", from: mautrix,
			to: "testing/fstest", want: " → " + mautrix + " → testing/fstest",
		},
		{rule: "niobottest stands", from: m + "/niobottest", to: m + "/e2ee", want: "/niobottest → /e2ee"},
		{
			rule: "niobottest stands", from: m + "/niobottest",
			to: m + "/internal/cli", want: "/niobottest → /internal/cli",
		},
		{rule: "release knows no bot", from: m + "/release", to: m, want: "/release → "},
		{rule: "release knows no bot", from: m + "/release", to: mautrix + "/id", want: "/release → " + mautrix + "/id"},
		{
			rule: "what speaks for release", from: m + "/release/notice",
			to: m + "/niobottest", want: "/release/notice → /niobottest",
		},
		{
			rule: "what speaks for release", from: m + "/release/announce",
			to: m + "/internal/fakehs", want: "/release/announce → /internal/fakehs",
		},
		{
			rule: "only two stores", from: m + "/cmd/niobot",
			to: "modernc.org/sqlite", want: "/cmd/niobot → modernc.org/sqlite",
		},
		{
			rule: "only two stores", from: m + "/store/storetest",
			to: "github.com/jackc/pgx/v5", want: "/store/storetest → github.com/jackc/pgx/v5",
		},
		{
			rule: "only e2ee", from: m + "/internal/cli",
			to: mautrix + "/crypto/cryptohelper", want: "/internal/cli → " + mautrix + "/crypto/cryptohelper",
		},
		{rule: "mautrix's bot", from: m, to: mautrix + "/commands", want: " → " + mautrix + "/commands"},
		{
			rule: "mautrix's bot", from: m + "/arg",
			to: mautrix + "/mockserver", inTest: true, want: "/arg → " + mautrix + "/mockserver",
		},
	} {
		t.Run(tt.rule+" "+tt.want, func(t *testing.T) {
			g := sound()
			n := g[tt.from]
			if tt.inTest {
				n.tests = append(n.tests, tt.to)
			} else {
				n.imports = append(n.imports, tt.to)
			}
			g[tt.from] = n
			for _, line := range violations(g) {
				rest, ok := strings.CutPrefix(line, tt.rule)
				if _, chain, _ := strings.Cut(rest, "): "); ok && strings.ReplaceAll(chain, module, "") == tt.want {
					return
				}
			}
			t.Errorf("no violation of %q with the chain %q; all: %q", tt.rule, tt.want, violations(g))
		})
	}
}

func TestBannedNamesAreFound(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		want         string
	}{
		{"call", `import "maunium.net/go/mautrix"; var s = mautrix.NewDefaultSyncer()`, "mautrix.NewDefaultSyncer"},
		{"type", `import "maunium.net/go/mautrix"; type t struct{ *mautrix.MemorySyncStore }`, "mautrix.MemorySyncStore"},
		{"renamed", `import mx "maunium.net/go/mautrix"; var s = mx.NewMemorySyncStore()`, "mautrix.NewMemorySyncStore"},
		{"dot", `import . "maunium.net/go/mautrix"; var s = NewDefaultSyncer()`, "dot import of maunium.net/go/mautrix"},
		{"other name", `import "maunium.net/go/mautrix"; var c mautrix.Client`, ""},
		{"other package", `import "example.org/mautrix"; var s = mautrix.NewDefaultSyncer()`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, "p.go", "package p; "+tt.source, 0)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(namesIn(files, file), "; ")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}
