package release

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoVersion is returned for a history without a release.
	ErrNoVersion = errors.New("no version was released yet")

	// ErrNothingToCut is returned by [Cutter.Cut] for a plan without releases.
	ErrNothingToCut = errors.New("nothing to cut: no supported major's newest release is affected")

	// ErrDirty is returned by [Cutter.Cut] for a tree with changes that are not committed.
	ErrDirty = errors.New("the working tree has changes; commit or remove them first")

	// ErrTestsFailed is returned by [Cutter.Cut] if the tests of a planned release fail.
	ErrTestsFailed = errors.New("tests fail")

	// ErrNoRecord is returned by [Cutter.Load] if nothing was cut for an advisory.
	ErrNoRecord = errors.New("nothing was cut for this advisory here; run cut first")

	// ErrNotReleased is returned by [OwnVersion] for a program that was built from a checkout.
	ErrNotReleased = errors.New("not built from a release")

	// ErrNoProxy is returned where the environment names no module proxy that can be asked.
	ErrNoProxy = errors.New("no module proxy can be asked")
)

// VersionError says that a text is no version of the form v1.2.3 or v1.2.3-rc.1.
type VersionError struct {
	Text   string
	Reason string
}

func (e *VersionError) Error() string { return fmt.Sprintf("%q is no version: %s", e.Text, e.Reason) }

// UnknownVersionError says that a version that was named is not in the history.
type UnknownVersionError struct {
	Version Version
	Newest  Version // The newest release of the same major; zero if there is none
}

func (e *UnknownVersionError) Error() string {
	if e.Newest.IsZero() {
		return fmt.Sprintf("there is no %s, nor any other v%d", e.Version, e.Version.Major())
	}
	return fmt.Sprintf("there is no %s; the newest v%d is %s", e.Version, e.Version.Major(), e.Newest)
}

// RangeError says what is wrong with a part of the affected ranges.
type RangeError struct {
	Range  string
	Reason string
	Err    error // What was wrong with a version in it, or nil
}

func (e *RangeError) Error() string { return fmt.Sprintf("range %q: %s", e.Range, e.Reason) }

// Unwrap gives what was wrong with a version in the range.
func (e *RangeError) Unwrap() error { return e.Err }

// TagExistsError says that a planned tag is there already.
type TagExistsError struct {
	Tag   string
	Where string // "here", or the name of the remote
}

func (e *TagExistsError) Error() string {
	return fmt.Sprintf("tag %s exists %s already", e.Tag, e.Where)
}

// PlaceholderError says that values of the project file are still to be filled in.
type PlaceholderError struct{ Fields []string }

func (e *PlaceholderError) Error() string {
	return "fill in " + strings.Join(e.Fields, ", ") + " in release/project.toml first"
}

// UnpublishedError says which planned releases the world can't get yet.
type UnpublishedError struct{ Missing []string }

func (e *UnpublishedError) Error() string {
	return "not published yet, so nothing is disclosed: " + strings.Join(e.Missing, "; ")
}
