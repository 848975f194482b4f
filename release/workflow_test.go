package release_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	action     = regexp.MustCompile(`uses: +(\S+)`)
	pinned     = regexp.MustCompile(`^actions/[a-z-]+@v[0-9]+$`)
	expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)
	mayWrite   = regexp.MustCompile(`(?m)^ +[a-z-]+: write`)
)

// Workflows use pinned actions of one owner, no secrets, no text of others in their scripts, and one right to write.
func TestWorkflowsAreCautious(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("workflows %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, use := range action.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(use[1]) {
				t.Errorf("%s: action %s is not pinned to a version", file, use[1])
			}
		}
		for _, e := range expression.FindAllStringSubmatch(text, -1) {
			if e[1] != "github.token" {
				t.Errorf("%s: the expression %s may hold what others wrote", file, e[1])
			}
		}
		if !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s: rights are not limited to reading", file)
		}
		want := 0
		if strings.Contains(text, "gh release create") {
			want = 1
		}
		if n := len(mayWrite.FindAllString(text, -1)); n != want {
			t.Errorf("%s: %d rights to write, want %d", file, n, want)
		}
	}
}
