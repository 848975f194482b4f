package attachment

import (
	"errors"
	"fmt"
)

// Errors to compare with, by [errors.Is].
var (
	// ErrTooLarge tells that a file is larger than a limit. The error is a [*TooLargeError].
	ErrTooLarge = errors.New("file is too large")
	// ErrHashMismatch tells that an encrypted file is not the one that its message speaks of. None of it is given out.
	ErrHashMismatch = errors.New("encrypted file does not match its hash")
	// ErrBadKey tells that a message's key, counter or hash can't be used to decrypt its file. A key of the right shape
	// and the wrong value can't be told from the right one: the hash is that of the encrypted bytes.
	ErrBadKey = errors.New("key of the encrypted file is invalid")
	// ErrNoMedia tells that a message has no file, or none with a valid mxc URI.
	ErrNoMedia = errors.New("message has no file")
	// ErrForbiddenAddress tells that a URL leads to a private, local or reserved address.
	ErrForbiddenAddress = errors.New("address is not public")
	// ErrForbiddenURL tells that a URL is neither http nor https, has no host, or redirects too often.
	ErrForbiddenURL = errors.New("URL is not allowed")
	// ErrNoTool tells that ffmpeg is needed and not installed.
	ErrNoTool = errors.New("ffmpeg is not installed")
	// ErrPicture tells that a picture can't be decoded within the limits. Preparing goes on without a thumbnail.
	ErrPicture = errors.New("picture can't be decoded")
	// ErrClosed tells that a file was used after Close.
	ErrClosed = errors.New("file is closed")
)

// TooLargeError is an [ErrTooLarge] with its figures.
type TooLargeError struct {
	Limit int64  // In bytes; 0 if it is not known
	Size  int64  // In bytes; 0 if it is not known
	Whose string // Whose limit it is, such as "the server's"
}

// Error implements error.
func (e *TooLargeError) Error() string {
	switch {
	case e.Limit == 0:
		return fmt.Sprintf("file of %d bytes is larger than %s limit", e.Size, e.Whose)
	case e.Size > 0:
		return fmt.Sprintf("file of %d bytes is larger than %s limit of %d bytes", e.Size, e.Whose, e.Limit)
	}
	return fmt.Sprintf("file is larger than %s limit of %d bytes", e.Whose, e.Limit)
}

// Is makes it an [ErrTooLarge].
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// StatusError is an answer of a web server, other than a homeserver, that is no success.
type StatusError struct {
	URL    string // Without credentials
	Status int    // The HTTP status code
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered with status %d", e.URL, e.Status)
}
