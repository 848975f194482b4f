package release

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Plan is which releases a fault asks for, and why every other version gets none.
type Plan struct {
	Affected []Version `json:"affected"` // The oldest first
	Releases []Release `json:"releases"` // The newest major first, one a major at most
	Verdicts []Verdict `json:"verdicts"` // Of every version, the newest first
	// Notes say what follows from the plan and might be overlooked.
	Notes []string `json:"notes,omitempty"`
}

// Release is a patch that has to be cut.
type Release struct {
	Version Version `json:"version"`
	Base    Version `json:"base"` // The newest release of the major, which the fix is put upon
	Reason  string  `json:"reason"`
}

// Title is what the release is called, so that whoever looks sees it.
func (r Release) Title() string { return "[URGENT] " + r.Version.String() }

// Verdict is what a fault means for a version that is released.
type Verdict struct {
	Version  Version `json:"version"`
	Affected bool    `json:"affected"`
	Support  string  `json:"support"`
	Upgrade  Version `json:"upgrade,omitzero"` // What users of an affected version should take; zero: another major
	Reason   string  `json:"reason"`           // Why no patch is made on top of this version
}

// NewPlan plans the patches for a fault. Each supported major whose newest release is affected gets one, on that
// release; no older minor does, and no unsupported major.
func NewPlan(h *History, affected Ranges) (*Plan, error) {
	list, err := affected.Select(h)
	if err != nil {
		return nil, err
	}
	p := &Plan{Affected: list, Releases: []Release{}}
	for _, major := range slices.Backward(h.Majors()) {
		newest := h.Newest(major)
		status, err := h.Status(newest)
		if err != nil {
			return nil, err
		}
		if !status.IsSupported() || !p.affects(newest) {
			continue
		}
		p.Releases = append(p.Releases, Release{
			Version: newest.nextPatch(), Base: newest,
			Reason: fmt.Sprintf("v%d is %s, and %s is its newest release and affected", major, status, newest),
		})
	}
	for _, v := range slices.Backward(h.versions) {
		verdict, err := p.verdict(h, v)
		if err != nil {
			return nil, err
		}
		p.Verdicts = append(p.Verdicts, verdict)
	}
	p.note(h)
	return p, nil
}

func (p *Plan) affects(v Version) bool {
	_, found := slices.BinarySearchFunc(p.Affected, v, Version.Compare)
	return found
}

// release is the planned release of a major, or nil.
func (p *Plan) release(major int) *Release {
	for i := range p.Releases {
		if p.Releases[i].Version.major == major {
			return &p.Releases[i]
		}
	}
	return nil
}

func (p *Plan) verdict(h *History, v Version) (Verdict, error) {
	status, err := h.Status(v)
	if err != nil {
		return Verdict{}, err
	}
	verdict := Verdict{Version: v, Affected: p.affects(v), Support: status.String()}
	newest, patch := h.Newest(v.major), p.release(v.major)
	switch {
	case !verdict.Affected:
		verdict.Reason = "not affected"
	case status.Preview:
		verdict.Reason = "a pre-release gets no patch; the release that follows it has to hold the fix"
	case !status.IsSupported():
		verdict.Reason = status.String()
	case patch != nil && v == patch.Base:
		verdict.Upgrade = patch.Version
		verdict.Reason = fmt.Sprintf("patched by %s", patch.Version)
	case patch != nil:
		verdict.Upgrade = patch.Version
		verdict.Reason = fmt.Sprintf("only the newest minor of v%d is patched, by %s", v.major, patch.Version)
	default:
		verdict.Upgrade = newest
		verdict.Reason = fmt.Sprintf("%s is not affected", newest)
	}
	return verdict, nil
}

// note finds retractions that nobody would see: Go reads them from the newest version of a module path alone.
func (p *Plan) note(h *History) {
	seen := make(map[int]bool)
	for _, v := range p.Affected {
		major := max(v.major, 1)
		if seen[major] {
			continue
		}
		seen[major] = true
		of := h.ofModule(major)
		newest := of[len(of)-1]
		for _, w := range slices.Backward(of) {
			if !w.IsPrerelease() {
				newest = w
				break
			}
		}
		if p.release(newest.major) == nil {
			p.Notes = append(p.Notes, fmt.Sprintf(
				"the affected versions of module path %s are not retracted: Go reads retractions from the newest "+
					"version, and after %s none is planned", pathSuffix(major), newest))
		}
	}
}

func pathSuffix(major int) string {
	if major < 2 {
		return "v0 and v1"
	}
	return fmt.Sprintf("/v%d", major)
}

// WriteText writes the plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	none := "Every other version gets none:"
	if len(p.Releases) == 0 {
		none = "No version gets a release:"
	} else {
		fmt.Fprintln(tw, "Releases to cut:")
	}
	for _, r := range p.Releases {
		fmt.Fprintf(tw, "  %s\ton %s\t%s\n", r.Title(), r.Base, r.Reason)
	}
	if len(p.Releases) > 0 {
		fmt.Fprintln(tw)
	}
	fmt.Fprintln(tw, none)
	for _, v := range p.Verdicts {
		affected, reason, upgrade := "affected", v.Reason, ""
		if !v.Affected {
			affected, reason = "not affected", v.Support
		}
		if !v.Upgrade.IsZero() {
			upgrade = "upgrade to " + v.Upgrade.String()
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", v.Version, affected, reason, upgrade)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(tw, "\nNote: %s.\n", note)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
