package release

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// OSVSchema is the version of the schema that records are written by.
const OSVSchema = "1.7.0"

// OSV is a record of the Open Source Vulnerability format, which vulnerability scanners read
// (https://ossf.github.io/osv-schema/).
type OSV struct {
	SchemaVersion string         `json:"schema_version"`
	ID            string         `json:"id"`
	Modified      time.Time      `json:"modified"`
	Published     time.Time      `json:"published"`
	Aliases       []string       `json:"aliases,omitempty"`
	Summary       string         `json:"summary"`
	Details       string         `json:"details,omitempty"`
	Severity      []OSVSeverity  `json:"severity,omitempty"`
	Affected      []OSVAffected  `json:"affected"`
	References    []OSVReference `json:"references,omitempty"`
	Credits       []OSVCredit    `json:"credits,omitempty"`
}

// OSVSeverity is a score, such as a CVSS vector.
type OSVSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// OSVAffected is a package and the versions of it that are affected.
type OSVAffected struct {
	Package OSVPackage `json:"package"`
	Ranges  []OSVRange `json:"ranges"`
}

// OSVPackage is a Go module.
type OSVPackage struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	PURL      string `json:"purl"`
}

// OSVRange is a list of events along the order of versions.
type OSVRange struct {
	Type   string     `json:"type"`
	Events []OSVEvent `json:"events"`
}

// OSVEvent is where the affected versions begin, or end. One of the two is set.
type OSVEvent struct {
	Introduced string `json:"introduced,omitempty"`
	Fixed      string `json:"fixed,omitempty"`
}

// OSVReference is a link.
type OSVReference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// OSVCredit is a [Credit].
type OSVCredit struct {
	Name    string   `json:"name"`
	Contact []string `json:"contact,omitempty"`
	Type    string   `json:"type"`
}

// newOSV makes the record of a fault. base is the project's module path without /vN, repository its address or empty.
func newOSV(f Fault, p *Plan, base, repository string, now time.Time) OSV {
	now = now.UTC().Truncate(time.Second)
	record := OSV{
		SchemaVersion: OSVSchema,
		ID:            f.ID,
		Modified:      now,
		Published:     now,
		Aliases:       f.Aliases,
		Summary:       f.Summary,
		Details:       f.Details,
		Affected:      affectedModules(p, base),
	}
	if f.CVSS != "" {
		kind := "CVSS_V3"
		if strings.HasPrefix(f.CVSS, "CVSS:4") {
			kind = "CVSS_V4"
		}
		record.Severity = []OSVSeverity{{Type: kind, Score: f.CVSS}}
	}
	if repository != "" {
		for _, r := range p.Releases {
			page := repository + "/releases/tag/" + r.Version.String()
			record.References = append(record.References, OSVReference{"FIX", page})
		}
		record.References = append(record.References, OSVReference{"PACKAGE", repository})
	}
	for _, c := range f.Credits {
		credit := OSVCredit{Name: c.Name, Type: c.Role}
		if c.Contact != "" {
			credit.Contact = []string{c.Contact}
		}
		record.Credits = append(record.Credits, credit)
	}
	return record
}

// affectedModules are the module paths with affected versions, the oldest first.
func affectedModules(p *Plan, base string) []OSVAffected {
	var list []OSVAffected
	for _, path := range p.modules() {
		name := ModulePath(base, path.major)
		list = append(list, OSVAffected{
			Package: OSVPackage{Ecosystem: "Go", Name: name, PURL: "pkg:golang/" + name},
			Ranges:  []OSVRange{{Type: "SEMVER", Events: osvEvents(path.versions, p.Affected)}},
		})
	}
	return list
}

// moduleVersions are the versions below one module path, planned ones with them, ascending.
type moduleVersions struct {
	major    int // The lowest that has the path, 1 for both 0 and 1
	versions []Version
}

// modules are the module paths with an affected version, ascending.
func (p *Plan) modules() []moduleVersions {
	var list []moduleVersions
	for _, v := range p.Affected {
		if n := len(list); n > 0 && sameModule(list[n-1].major, v.major) {
			continue
		}
		m := moduleVersions{major: max(v.major, 1)}
		for _, verdict := range p.Verdicts {
			if sameModule(verdict.Version.major, m.major) {
				m.versions = append(m.versions, verdict.Version)
			}
		}
		for _, r := range p.Releases {
			if sameModule(r.Version.major, m.major) {
				m.versions = append(m.versions, r.Version)
			}
		}
		slices.SortFunc(m.versions, Version.Compare)
		list = append(list, m)
	}
	return list
}

// osvEvents turns the affected among all versions of a module path into events. "0" stands for before all versions.
// Where no later version is free of the fault, the range stays open.
func osvEvents(all, affected []Version) []OSVEvent {
	var events []OSVEvent
	open := false
	for i, v := range all {
		_, hit := slices.BinarySearchFunc(affected, v, Version.Compare)
		switch {
		case hit && !open && i == 0:
			events = append(events, OSVEvent{Introduced: "0"})
		case hit && !open:
			events = append(events, OSVEvent{Introduced: v.bare()})
		case !hit && open:
			events = append(events, OSVEvent{Fixed: v.bare()})
		}
		open = hit
	}
	return events
}

// encode is the record as indented JSON.
func (o OSV) encode() ([]byte, error) { return encodeJSON(o) }

// encodeJSON writes JSON for people to read as well: indented, with < as it is.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
