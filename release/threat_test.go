package release_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

var namedTest = regexp.MustCompile("`([a-z0-9./]+)/((?:Test|Fuzz)[A-Z]\\w*)`")

// Each claim of the threat model names tests, and those exist.
func TestThreatModelNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	claims := 0
	for line := range strings.Lines(string(text)) {
		claim, shown, isRow := strings.Cut(strings.Trim(line, "|\n "), "|")
		if !isRow || !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") ||
			strings.TrimSpace(shown) == "shown by" {
			continue
		}
		claims++
		named := namedTest.FindAllStringSubmatch(shown, -1)
		if len(named) == 0 || len(namedTest.ReplaceAllString(shown, "")) > len(named)+1 {
			t.Errorf("%q names no test, or something else: %s", strings.TrimSpace(claim), shown)
		}
		for _, n := range named {
			if !testExists(t, filepath.Join("..", filepath.FromSlash(n[1])), n[2]) {
				t.Errorf("%q: there is no %s in %s", strings.TrimSpace(claim), n[2], n[1])
			}
		}
	}
	if claims < 30 {
		t.Errorf("only %d claims were found", claims)
	}
}

func testExists(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// Of what a bot is made of, package attachment alone decodes pictures and starts programs, and nothing unpacks archives:
// whoever asks what a media file can do to a bot need look no further.
func TestOnlyAttachmentsReadMedia(t *testing.T) {
	out, err := release.Exec{}.Run(t.Context(), "..", "", "go", "list", "-deps", "-tags", "goolm",
		"-f", "{{if not .Standard}}{{.ImportPath}} {{join .Imports \" \"}}{{end}}", ".")
	if err != nil {
		t.Fatal(err)
	}
	const attachment = "github.com/niobot/niobot/attachment"
	packages, found := 0, 0
	for line := range strings.Lines(out) {
		imports := strings.Fields(line)
		if len(imports) == 0 {
			continue
		}
		packages++
		importer := imports[0]
		for _, p := range imports[1:] {
			picture := p == "image" || strings.HasPrefix(p, "image/") || strings.HasPrefix(p, "golang.org/x/image/")
			switch {
			case strings.HasPrefix(p, "archive/"):
				t.Errorf("%s unpacks archives by %s", importer, p)
			case !picture && p != "os/exec":
			case importer == attachment || strings.HasPrefix(importer, attachment+"/"):
				found++
			case strings.HasPrefix(importer, "github.com/niobot/niobot"), p == "os/exec" || !isPictureLibrary(importer):
				t.Errorf("%s imports %s", importer, p)
			}
		}
	}
	if packages < 30 || found == 0 {
		t.Errorf("go list knows %d packages, with %d imports that attachments have", packages, found)
	}
}

// isPictureLibrary tells whether a package is one that package attachment works with.
func isPictureLibrary(path string) bool {
	for _, library := range []string{"golang.org/x/image/", "github.com/HugoSmits86/nativewebp", "github.com/bbrks/go-blurhash"} {
		if strings.HasPrefix(path, library) {
			return true
		}
	}
	return false
}
