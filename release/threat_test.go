package release_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

var namedTest = regexp.MustCompile("`([a-z./]+)/((?:Test|Fuzz)[A-Z]\\w*)`")

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

// A bot, without what its own handlers bring, holds no decoder of media and starts no program.
func TestBotHasNoParserForMedia(t *testing.T) {
	out, err := release.Exec{}.Run(t.Context(), "..", "", "go", "list", "-deps", "-tags", "goolm", ".")
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(out)
	if len(packages) < 50 {
		t.Fatalf("go list knows %q", packages)
	}
	for _, p := range packages {
		if p == "image" || strings.HasPrefix(p, "image/") || strings.HasPrefix(p, "archive/") || p == "os/exec" ||
			strings.HasPrefix(p, "golang.org/x/image/") {
			t.Errorf("the bot imports %s", p)
		}
	}
}
