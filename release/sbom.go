package release

import (
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// SBOM is a software bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). It holds no time and no
// random number: the same program gives the same bytes.
type SBOM struct {
	Format     string          `json:"bomFormat"`
	Spec       string          `json:"specVersion"`
	Version    int             `json:"version"`
	Metadata   SBOMMetadata    `json:"metadata"`
	Components []SBOMComponent `json:"components"`
}

// SBOMMetadata says what the bill is of.
type SBOMMetadata struct {
	Component  SBOMComponent  `json:"component"`
	Properties []SBOMProperty `json:"properties,omitempty"`
}

// SBOMComponent is a module.
type SBOMComponent struct {
	Type       string         `json:"type"`
	Ref        string         `json:"bom-ref"`
	Name       string         `json:"name"`
	Version    string         `json:"version,omitempty"`
	Hashes     []SBOMHash     `json:"hashes,omitempty"`
	PURL       string         `json:"purl"`
	Properties []SBOMProperty `json:"properties,omitempty"`
}

// SBOMHash is the hash of a program's file.
type SBOMHash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// SBOMProperty is a name and a value.
type SBOMProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReadSBOM makes the bill of a Go program by what the go command wrote into it: the modules that were linked in, with
// their checksums as go.sum has them.
func ReadSBOM(program string) (*SBOM, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read what %s was built from: %w", program, err)
	}
	bom := newSBOM(info)
	sum, err := checksum(program)
	if err != nil {
		return nil, err
	}
	bom.Metadata.Component.Hashes = []SBOMHash{{"SHA-256", sum}}
	return bom, nil
}

func newSBOM(info *debug.BuildInfo) *SBOM {
	bom := &SBOM{Format: "CycloneDX", Spec: "1.6", Version: 1}
	bom.Metadata.Component = sbomComponent("application", &info.Main)
	bom.Metadata.Properties = append(bom.Metadata.Properties, SBOMProperty{"go:version", info.GoVersion})
	for _, s := range info.Settings {
		bom.Metadata.Properties = append(bom.Metadata.Properties, SBOMProperty{"go:" + s.Key, s.Value})
	}
	bom.Components = []SBOMComponent{{
		Type: "library", Ref: "pkg:golang/std@" + goVersion(info), Name: "std", Version: goVersion(info),
		PURL: "pkg:golang/std@" + goVersion(info),
	}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		bom.Components = append(bom.Components, sbomComponent("library", m))
	}
	slices.SortFunc(bom.Components, func(a, b SBOMComponent) int { return strings.Compare(a.Ref, b.Ref) })
	return bom
}

func goVersion(info *debug.BuildInfo) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	return version
}

func sbomComponent(kind string, m *debug.Module) SBOMComponent {
	purl := "pkg:golang/" + m.Path
	version := m.Version
	if version == "(devel)" {
		version = ""
	}
	if version != "" {
		purl += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	c := SBOMComponent{Type: kind, Ref: purl, Name: m.Path, Version: version, PURL: purl}
	if m.Sum != "" {
		// Not among the hashes: it is one of a list of hashes, which no other tool computes.
		c.Properties = []SBOMProperty{{"go:sum", m.Sum}}
	}
	return c
}

// Encode is the bill as indented JSON.
func (b *SBOM) Encode() ([]byte, error) { return encodeJSON(b) }
