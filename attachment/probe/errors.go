package probe

import (
	"errors"
	"fmt"
)

// Errors to compare with, by [errors.Is]. They come in a [*PartialError].
var (
	// ErrMalformed tells that the file is damaged, cut off, or not what its first bytes claim.
	ErrMalformed = errors.New("file is malformed")
	// ErrLimit tells that it would take more than [MaxBytes] or [MaxSteps] to know.
	ErrLimit = errors.New("file is too long to look through")
	// ErrFFprobe tells that ffprobe was asked, and failed or took too long. That it is not installed is no error.
	ErrFFprobe = errors.New("ffprobe knows no answer")
)

// PartialError tells that the Info beside it is right as far as it goes, and lacks something. The file can be sent all
// the same. Any other error of [Read] tells that the file can't be read.
type PartialError struct {
	MIME string // What the file is, as in the Info
	Err  error  // Why something is missing; an [ErrMalformed], [ErrLimit] or [ErrFFprobe]
}

// Error implements error.
func (e *PartialError) Error() string { return fmt.Sprintf("probe %s: %s", e.MIME, e.Err) }

// Unwrap gives the cause.
func (e *PartialError) Unwrap() error { return e.Err }

// malformed is an [ErrMalformed] with what is wrong.
func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// partial tells whether an error comes from the file's content, not from reading it.
func partial(err error) bool {
	return errors.Is(err, ErrMalformed) || errors.Is(err, ErrLimit) || errors.Is(err, ErrFFprobe)
}
