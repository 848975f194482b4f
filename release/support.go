package release

import (
	"fmt"
	"slices"
)

// The majors that are supported, counted from the newest one.
const (
	// SupportedMajors is how many majors get security updates: the current and the previous one.
	SupportedMajors = 2
	// ESRMajors is for how many more major releases one that is marked ESR gets them.
	ESRMajors = 2
)

// State is the kind of a [Status].
type State string

// The states of a version.
const (
	Supported   State = "supported"   // The current or the previous major
	ESR         State = "esr"         // A major that was marked for extended support
	Unsupported State = "unsupported" // Anything older, and previews
)

// Status is whether a version gets security updates.
type Status struct {
	Version Version `json:"version"`
	State   State   `json:"state"`
	// Until is the major whose release ends the support; set for ESR.
	Until int `json:"until,omitempty"`
	// Since is the release that ended the support; set for Unsupported, but for previews.
	Since Version `json:"since,omitzero"`
	// Preview tells of a pre-release that no release has followed yet, which gets no patches.
	Preview bool `json:"preview,omitempty"`
}

// String says the status in words, such as "ESR until v6".
func (s Status) String() string {
	switch {
	case s.State == Supported:
		return "supported"
	case s.State == ESR:
		return fmt.Sprintf("ESR until v%d", s.Until)
	case s.Preview:
		return fmt.Sprintf("unsupported, a preview of %s", s.Version.release())
	default:
		return fmt.Sprintf("unsupported since %s", s.Since)
	}
}

// IsSupported tells whether the version gets security updates.
func (s Status) IsSupported() bool { return s.State != Unsupported }

// Support tells whether a version is supported, by the project's tags or what the module proxy lists. The version has
// to be among them, else the error is an [*UnknownVersionError]. Majors after esr are those that were marked.
func Support(version string, tags []string, esr ...int) (Status, error) {
	v, err := ParseVersion(version)
	if err != nil {
		return Status{}, err
	}
	h, err := NewHistory(tags)
	if err != nil {
		return Status{}, err
	}
	if !h.Has(v) {
		return Status{}, &UnknownVersionError{Version: v, Newest: h.Newest(v.major)}
	}
	return h.WithESR(esr...).Status(v)
}

// Status tells whether a version is supported. It need not be in the history, as a build of a commit between two
// releases is not, but a release of its major has to be, unless it is a pre-release: else the error is an
// [*UnknownVersionError].
//
// The current and the previous major are supported in all their versions. A major marked ESR is so for [ESRMajors] more
// major releases. Majors that were never released don't count. A pre-release shares its major's fate once a release
// has followed it, and is unsupported before.
func (h *History) Status(v Version) (Status, error) {
	s := Status{Version: v, State: Supported}
	newest := h.Newest(v.major)
	if v.IsPrerelease() && (newest.IsZero() || v.Compare(newest) > 0) {
		s.State, s.Preview = Unsupported, true
		return s, nil
	}
	if newest.IsZero() {
		return Status{}, &UnknownVersionError{Version: v}
	}
	majors := h.Majors()
	later := majors[slices.Index(majors, v.major)+1:]
	span := SupportedMajors
	if h.esr[v.major] {
		span += ESRMajors
		s.State = ESR
		s.Until = h.Current() + span - len(later)
	}
	if len(later) >= span {
		s.State, s.Until = Unsupported, 0
		s.Since = h.first(later[span-1])
	}
	return s, nil
}
