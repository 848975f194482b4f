package release

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestSBOM(t *testing.T) {
	bom := newSBOM(&debug.BuildInfo{
		GoVersion: "go1.26.8 X:someexperiment",
		Main:      debug.Module{Path: "example.org/bot", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.org/z", Version: "v1.0.0", Sum: "h1:abc="},
			{Path: "example.org/a", Version: "v2.0.0+incompatible"},
			{Path: "example.org/old", Version: "v1.0.0",
				Replace: &debug.Module{Path: "example.org/new", Version: "v1.0.1"}},
		},
		Settings: []debug.BuildSetting{{Key: "-trimpath", Value: "true"}},
	})
	text, err := bom.Encode()
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "sbom.json", string(text))
}

func TestSBOMOfAProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if _, err := (Exec{}).Run(t.Context(), ".", "", "go", "build", "-o", program, "./cmd/release"); err != nil {
		t.Fatal(err)
	}
	bom, err := ReadSBOM(program)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]string)
	for _, c := range bom.Components {
		names[c.Name] = c.Version
	}
	if names["golang.org/x/mod"] == "" || names["github.com/BurntSushi/toml"] == "" || names["std"] == "" {
		t.Errorf("modules are missing: %v", names)
	}
	again, err := ReadSBOM(program)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := bom.Encode()
	b, errB := again.Encode()
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("the same program gives different bytes: %v, %v", errA, errB)
	}
	if _, err := ReadSBOM("artifact_test.go"); err == nil {
		t.Error("a text has a bill of materials")
	}
}

func TestChecksums(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b, a := write("b", "abc"), write("a", "")
	got, err := Checksums([]string{b, a})
	const want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n" +
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Checksums([]string{b, write("c/b", "x")}); err == nil ||
		!strings.Contains(err.Error(), "two files are called b") {
		t.Errorf("got %v", err)
	}
	if _, err := Checksums([]string{filepath.Join(dir, "none")}); err == nil {
		t.Error("a file that is not there has a checksum")
	}
}
