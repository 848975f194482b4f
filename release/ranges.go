package release

import (
	"fmt"
	"strconv"
	"strings"
)

// Ranges says which versions a fault affects, in alternatives set apart by commas:
//
//	v5.6.0                  one version
//	v4.7                    a minor
//	v4                      a major
//	>=v4.2.0 <v4.7.14       all conditions hold; there are >=, >, <= and <
//	v4, >=v5.2.0 <=v5.6.0   either
//
// A version that is said to be affected, alone or after >= or <=, has to be in the history, so that a slip of the
// finger is found.
type Ranges struct {
	text         string
	alternatives []alternative
}

// alternative is a range of versions that meet all of its conditions.
type alternative struct {
	text       string
	conditions []condition
}

type condition struct {
	op   string // "=", ">=", ">", "<=", "<", or "in" for a major or minor
	v    Version
	line int // For "in": how many numbers of v count
}

// ParseRanges reads ranges. What is wrong is a [*RangeError].
func ParseRanges(s string) (Ranges, error) {
	r := Ranges{text: s}
	for text := range strings.SplitSeq(s, ",") {
		a := alternative{text: strings.TrimSpace(text)}
		fields := strings.Fields(text)
		for i := 0; i < len(fields); i++ {
			field := fields[i]
			// "<= v1.2.3" is as good as "<=v1.2.3".
			if strings.Trim(field, "<>=") == "" && i+1 < len(fields) {
				i++
				field += fields[i]
			}
			c, err := parseCondition(field)
			if err != nil {
				return Ranges{}, &RangeError{Range: a.text, Reason: err.Error(), Err: err}
			}
			a.conditions = append(a.conditions, c)
		}
		if len(a.conditions) == 0 {
			return Ranges{}, &RangeError{Range: strings.TrimSpace(s), Reason: "a part of it is empty"}
		}
		r.alternatives = append(r.alternatives, a)
	}
	return r, nil
}

func parseCondition(s string) (condition, error) {
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			v, err := ParseVersion(rest)
			return condition{op: op, v: v}, err
		}
	}
	if v, line, ok := parseLine(s); ok {
		return condition{op: "in", v: v, line: line}, nil
	}
	v, err := ParseVersion(s)
	return condition{op: "=", v: v}, err
}

// parseLine reads a major, v4, or a minor, v4.7, and how many numbers it has.
func parseLine(s string) (v Version, line int, ok bool) {
	rest, ok := strings.CutPrefix(s, "v")
	if !ok {
		return Version{}, 0, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) > 2 {
		return Version{}, 0, false
	}
	var numbers [2]int
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || part != strconv.FormatUint(n, 10) {
			return Version{}, 0, false
		}
		numbers[i] = int(n)
	}
	return Version{major: numbers[0], minor: numbers[1]}, len(parts), true
}

// String is the text that the ranges were read from.
func (r Ranges) String() string { return r.text }

// Select gives the versions of the history that the ranges name, the oldest first. An alternative that names none is
// a [*RangeError], a named version that does not exist an [*UnknownVersionError].
func (r Ranges) Select(h *History) ([]Version, error) {
	for _, a := range r.alternatives {
		if err := a.check(h); err != nil {
			return nil, err
		}
	}
	var list []Version
	for _, v := range h.versions {
		for _, a := range r.alternatives {
			if a.has(v) {
				list = append(list, v)
				break
			}
		}
	}
	return list, nil
}

func (a alternative) check(h *History) error {
	for _, c := range a.conditions {
		if (c.op == "=" || c.op == ">=" || c.op == "<=") && !h.Has(c.v) {
			err := &UnknownVersionError{Version: c.v, Newest: h.Newest(c.v.major)}
			return &RangeError{Range: a.text, Reason: err.Error(), Err: err}
		}
	}
	for _, v := range h.versions {
		if a.has(v) {
			return nil
		}
	}
	return &RangeError{Range: a.text, Reason: fmt.Sprintf("none of the %d versions is in it", len(h.versions))}
}

func (a alternative) has(v Version) bool {
	for _, c := range a.conditions {
		if !c.holds(v) {
			return false
		}
	}
	return true
}

func (c condition) holds(v Version) bool {
	switch order := v.Compare(c.v); c.op {
	case "=":
		return order == 0
	case ">=":
		return order >= 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case "<":
		return order < 0
	default:
		return v.major == c.v.major && (c.line == 1 || v.minor == c.v.minor)
	}
}
