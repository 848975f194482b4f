package render_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/niobot/niobot/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each testdata/*.in.html and *.in.md is shown as text and HTML in the golden file beside it.
func TestGolden(t *testing.T) {
	sources, err := filepath.Glob("testdata/*.in.*")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		t.Run(filepath.Base(source), func(t *testing.T) {
			content, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			var body render.Body
			if filepath.Ext(source) == ".md" {
				body = render.Markdown(string(content), []any(nil)...)
			} else {
				body = render.HTML(string(content))
			}
			got := "--- text ---\n" + body.Text + "\n--- HTML ---\n" + body.HTML + "\n"
			golden := strings.Replace(source, ".in.", ".golden.", 1) + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
