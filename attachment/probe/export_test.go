package probe

import (
	"bytes"
	"maps"
	"slices"
)

// Formats are the MIME types that have a parser of their own.
func Formats() []string { return slices.Sorted(maps.Keys(parsers)) }

// ReadAs reads data by the parser of a MIME type, whatever it is.
func ReadAs(mime string, data []byte) (Info, error) {
	info := Info{MIME: mime}
	err := parsers[mime](newSource(bytes.NewReader(data), int64(len(data)), func() error { return nil }), &info)
	info.finish()
	return info, err
}

// Partial tells whether an error comes from a file's content.
func Partial(err error) bool { return partial(err) }

// MaxDuration is longer than anything that is sent.
const MaxDuration = maxDuration

// MatrixOrientation and Turn reach the two ways to say how a picture is turned.
var MatrixOrientation = matrixOrientation

// Turn gives the orientation after steps: 'r' turns clockwise by a quarter, 'm' exchanges left and right.
func Turn(steps string) int {
	var t turning
	for _, step := range steps {
		if step == 'r' {
			t.turn(1)
		} else {
			t.mirror()
		}
	}
	return t.orientation()
}
