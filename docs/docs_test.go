// Package docs_test holds the documents to the code.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

// documents are the Markdown files whose code is held to be right.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	texts := make(map[string]string)
	for _, path := range append(paths, filepath.Join("..", "README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// sources are the Go files that may be shown: those of the examples, and of the tests beside this one.
func sources(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, root := range []string{".", filepath.Join("..", "examples")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			texts[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

var goBlock = regexp.MustCompile("(?ms)^```go[^\n]*\n(.*?)^```$")

// All Go code that is shown is part of a file that is compiled and tested, line by line.
func TestShownCodeIsCompiled(t *testing.T) {
	files := sources(t)
	for path, text := range documents(t) {
		for _, block := range goBlock.FindAllStringSubmatchIndex(text, -1) {
			code := text[block[2]:block[3]]
			if !shown(files, code) {
				line := 1 + strings.Count(text[:block[2]], "\n")
				t.Errorf("%s:%d: no file below examples or docs holds these lines:\n%s", path, line, code)
			}
		}
	}
}

func shown(files map[string]string, code string) bool {
	for _, text := range files {
		if strings.Contains("\n"+text, "\n"+code) {
			return true
		}
	}
	return false
}

func TestShownFindsWholeLines(t *testing.T) {
	files := map[string]string{"a.go": "package a\n\nvar x = 1\n"}
	for code, want := range map[string]bool{
		"package a\n": true, "var x = 1\n": true, "var x\n": false, "x = 1\n": false, "var y = 1\n": false,
	} {
		if got := shown(files, code); got != want {
			t.Errorf("%q: %t, want %t", code, got, want)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksBetweenDocumentsLead(t *testing.T) {
	texts := documents(t)
	for path, text := range texts {
		if path == filepath.Join("..", "README.md") {
			continue // Its links are those of a page that may be ahead of the rest.
		}
		for _, found := range link.FindAllStringSubmatch(withoutCode(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(found[1], "#")
			if target == "" {
				target = path
			} else if _, err := os.Stat(filepath.Join(filepath.Dir(path), target)); err != nil {
				t.Errorf("%s: link to %s: %v", path, found[1], err)
			}
			if shown, ours := texts[target]; anchor != "" && ours && !slices.Contains(anchors(shown), anchor) {
				t.Errorf("%s: link to %s: there is no such heading", path, found[1])
			}
		}
	}
}

var (
	anyBlock  = regexp.MustCompile("(?ms)^```.*?^```$")
	codeSpans = regexp.MustCompile("`([^`\n]+)`")
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug   = regexp.MustCompile(`[^a-z0-9_ -]`)
)

// withoutCode is a document without its blocks and spans of code.
func withoutCode(text string) string {
	return codeSpans.ReplaceAllString(anyBlock.ReplaceAllString(text, ""), "")
}

// anchors are the names of a document's headings, as GitHub makes them.
func anchors(text string) (all []string) {
	for _, found := range heading.FindAllStringSubmatch(anyBlock.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return all
}

// constructor are the options of nio-bot's NioBot(…).
var constructor = []string{
	"homeserver", "user_id", "device_id", "store_path", "command_prefix", "case_insensitive", "owner_id", "config",
	"ssl", "proxy", "help_command", "global_message_type", "ignore_old_events", "auto_join_rooms", "auto_read_messages",
	"max_message_cache", "ignore_self", "import_keys", "startup_presence", "sync_full_state", "default_parse_mentions",
	"force_initial_sync", "process_message_edits",
}

func TestConfigurationNamesAllOptions(t *testing.T) {
	text := documents(t)["configuration.md"]
	for _, name := range constructor {
		if !strings.Contains(text, "\n| `"+name+"` | ") {
			t.Errorf("there is no row for nio-bot's %s", name)
		}
	}
	for field := range reflect.TypeFor[niobot.Config]().Fields() {
		if !strings.Contains(text, "\n| `"+field.Name+"` | ") {
			t.Errorf("there is no row for the field %s of Config", field.Name)
		}
	}
	existing := options(t)
	for _, name := range existing {
		if !strings.Contains(text, "\n| `"+name+"` | ") {
			t.Errorf("there is no row for %s", name)
		}
	}
	for _, name := range regexp.MustCompile(`\bWith[A-Z]\w+`).FindAllString(text, -1) {
		if !strings.Contains(strings.Join(existing, " ")+" ", name+" ") {
			t.Errorf("%s is named, but there is no such option", name)
		}
	}
}

// options are the functions of package niobot that return an Option.
func options(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && result.Name == "Option" {
				names = append(names, f.Name.Name)
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %d options found: %v", len(names), names)
	}
	return names
}

// Whoever looks for a document or an example finds it in the index.
func TestIndexNamesAll(t *testing.T) {
	texts := documents(t)
	examples, err := filepath.Glob(filepath.Join("..", "examples", "*"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for path := range texts {
		if filepath.Dir(path) == "." && path != "README.md" && !strings.Contains(texts["README.md"], "]("+path+")") {
			t.Errorf("README.md does not name %s", path)
		}
	}
	for _, path := range examples {
		if !strings.Contains(texts["README.md"], "]("+filepath.ToSlash(path)+")") {
			t.Errorf("README.md does not name %s", path)
		}
	}
}

// Every text that niobot says stands in the list of those that can be translated.
func TestTranslatingNamesAllTexts(t *testing.T) {
	text := documents(t)["translating.md"]
	paths, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	constant := regexp.MustCompile(`(?m)^\t(Text[A-Z]\w*) +Text += "`)
	found := 0
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range constant.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(text, "\n| `"+name[1]+"` | ") {
				t.Errorf("translating.md has no row for %s", name[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d texts found", found)
	}
}
