package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each name of nio-bot stands in the first column of a row, below the heading that the list of names has it under.
func TestMigratingAnswersAllNames(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("testdata", "nio-bot-names.txt"))
	if err != nil {
		t.Fatal(err)
	}
	text := documents(t)["migrating-from-nio-bot.md"]
	row := regexp.MustCompile(`(?m)^\| (.+?) \| (.+) \|$`)
	var under map[string]bool
	names := 0
	for line := range strings.Lines(string(list)) {
		name := strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(name, "# "); ok {
			_, section, found := strings.Cut(text, "\n## "+title+"\n")
			if !found {
				t.Errorf("there is no heading %q", title)
			}
			section, _, _ = strings.Cut(section, "\n## ")
			under = make(map[string]bool)
			for _, found := range row.FindAllStringSubmatch(section, -1) {
				for _, answered := range codeSpans.FindAllStringSubmatch(found[1], -1) {
					under[answered[1]] = true
				}
			}
			continue
		}
		names++
		if !under[name] {
			t.Errorf("%s has no answer", name)
		}
	}
	if names < 600 {
		t.Errorf("only %d names are asked for", names)
	}
}

// What the documents call by its name is there, so that a rename finds them.
func TestNamedThingsExist(t *testing.T) {
	packages := make(map[string]map[string]bool)
	packages["niobot"] = exported(t, "..")
	for _, name := range []string{"render", "arg", "niobottest"} {
		packages[name] = exported(t, filepath.Join("..", name))
	}
	// there tells whether a package has the name, and whether one has the type that it would be of.
	there := func(of, name string) (found, possible bool) {
		if names, ok := packages[of]; ok {
			return names[name], true
		}
		for _, names := range packages {
			found = found || names[of+"."+name]
			possible = possible || names[of]
		}
		return found, possible
	}
	variables := map[string]string{"bot": "Bot", "c": "Context"}
	dotted := regexp.MustCompile(`\b(\w+)\.([A-Z]\w*)`)
	bare := regexp.MustCompile(`^\*?((?:With|Err|Receipts)[A-Z]\w*|[A-Z]\w*Error)$`)
	for path, text := range documents(t) {
		for _, code := range codeSpans.FindAllStringSubmatch(anyBlock.ReplaceAllString(text, ""), -1) {
			for _, name := range dotted.FindAllStringSubmatch(code[1], -1) {
				of := name[1]
				if typ, ok := variables[of]; ok {
					of = typ
				}
				if found, possible := there(of, name[2]); possible && !found {
					t.Errorf("%s: there is no %s.%s", path, of, name[2])
				}
			}
			name := bare.FindStringSubmatch(code[1])
			if name == nil || path == "migrating-from-nio-bot.md" { // It names errors of nio-bot.
				continue
			}
			if !packages["niobot"][name[1]] && !packages["niobottest"][name[1]] {
				t.Errorf("%s: there is no %s", path, name[1])
			}
		}
	}
}

// exported are the exported names of a package: X, and X.Y for fields and methods.
func exported(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	paths, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no package in %s: %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[receiver(decl)+decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					addSpec(names, spec)
				}
			}
		}
	}
	return names
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

func addSpec(names map[string]bool, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[spec.Name.Name] = true
		var members *ast.FieldList
		switch typ := spec.Type.(type) {
		case *ast.StructType:
			members = typ.Fields
		case *ast.InterfaceType:
			members = typ.Methods
		default:
			return
		}
		for _, member := range members.List {
			for _, name := range member.Names {
				names[spec.Name.Name+"."+name.Name] = true
			}
		}
	}
}
