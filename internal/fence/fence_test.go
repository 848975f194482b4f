package fence

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builds are the tags that people build with. Each has its own graph.
var builds = []string{"", "goolm"}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath   string
	Dir          string
	Standard     bool
	DepOnly      bool
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsPointInward(t *testing.T) {
	for _, tags := range builds {
		t.Run("tags="+tags, func(t *testing.T) {
			g := make(graph)
			for _, p := range list(t, tags) {
				if !p.Standard {
					g[p.ImportPath] = node{imports: p.Imports, tests: slices.Concat(p.TestImports, p.XTestImports)}
				}
			}
			if len(g[module].imports) == 0 {
				t.Fatalf("go list does not know %s: the rules would hold for nothing", module)
			}
			for _, line := range violations(g) {
				t.Error(line)
			}
		})
	}
}

func TestBannedNamesAreNotUsed(t *testing.T) {
	files := token.NewFileSet()
	seen := make(map[string]bool)
	for _, tags := range builds {
		for _, p := range list(t, tags) {
			if p.DepOnly || mayNameThem.has(p.ImportPath) {
				continue
			}
			for _, name := range p.GoFiles {
				path := filepath.Join(p.Dir, name)
				if seen[path] {
					continue
				}
				seen[path] = true
				file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				for _, line := range namesIn(files, file) {
					t.Error(line)
				}
			}
		}
	}
	if len(seen) == 0 {
		t.Fatal("go list gave no source files")
	}
}

// list asks the go command for the module's packages and all that they import.
func list(t *testing.T, tags string) []listed {
	t.Helper()
	watchTree(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags="+tags,
		"-json=ImportPath,Dir,Standard,DepOnly,GoFiles,Imports,TestImports,XTestImports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// watchTree reads every folder of the module. The go command runs a cached test again when a file or folder that the
// test has opened is no longer the same, and knows nothing of what `go list` reads.
func watchTree(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatalf("walk the module: %v", err)
	}
}
