package arg

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Conditions that an [Error] may wrap, for use with [errors.Is].
var (
	ErrMissing     = errors.New("argument missing")
	ErrSurplus     = errors.New("too many arguments")
	ErrUnknownFlag = errors.New("unknown flag")
	ErrRepeated    = errors.New("argument given twice")
	ErrQuote       = errors.New("quote not closed")
	ErrTooLong     = errors.New("input too long")
)

// ErrNoResolver is returned, wrapped and not as an [Error], when a room alias was typed where a room id is needed and
// [Input] has no [Resolver].
var ErrNoResolver = errors.New("no resolver for room aliases; set Input.Resolver")

// Error says what is wrong with the text that a user typed. Its strings are meant to be shown to that user.
type Error struct {
	Param  string // name of the parameter, without dashes; empty when the error is about none
	Text   string // the whole input
	Offset int    // where the offending word begins, in bytes of Text; len(Text) when an argument is missing
	End    int    // where it ends, in bytes of Text
	Reason string // one line for people, such as `"24x" is not a duration like 90s, 1h30m or 2d`
	Err    error  // the condition or the cause; nil where the reason says it all
}

// Error returns the parameter's name and the reason in one line.
func (e *Error) Error() string {
	if e.Param == "" {
		return e.Reason
	}
	return e.Param + ": " + e.Reason
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// rejection is how a converter says that the text is at fault, not the world.
type rejection struct {
	reason string
	err    error
}

func (r *rejection) Error() string { return r.reason }
func (r *rejection) Unwrap() error { return r.err }

// Reject makes the error by which a [Converter] or a [Resolver] says that the text itself is wrong: [Plan.Bind] turns it
// into an [Error] with this reason, which the user will read. Any other error counts as trouble elsewhere and is handed
// to the caller as it is. The format is that of [fmt.Errorf], %w included.
func Reject(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &rejection{reason: oneLine(err.Error()), err: errors.Unwrap(err)}
}

func rejectKind(text string, kind Kind, cause error) error {
	return &rejection{reason: show(text) + " is not " + kind.expects(), err: cause}
}

// maxShown is how many runes of a word are repeated in a reason.
const maxShown = 40

// show quotes a user's word for a reason, cut to a readable length.
func show(text string) string {
	if utf8.RuneCountInString(text) > maxShown {
		cut := 0
		for range maxShown - 1 {
			_, size := utf8.DecodeRuneInString(text[cut:])
			cut += size
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}
