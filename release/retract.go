package release

import (
	"fmt"
	"slices"

	"golang.org/x/mod/modfile"
)

// Interval is a stretch of versions, both ends included.
type Interval struct {
	Low  Version `json:"low"`
	High Version `json:"high"`
}

// intervals are the stretches of all that hold no version but the affected. Both lists ascend.
func intervals(all, affected []Version) []Interval {
	var list []Interval
	open := false
	for _, v := range all {
		_, hit := slices.BinarySearchFunc(affected, v, Version.Compare)
		switch {
		case hit && open:
			list[len(list)-1].High = v
		case hit:
			list = append(list, Interval{v, v})
		}
		open = hit
	}
	return list
}

// retract adds a retraction to a go.mod file for each interval, with the reason that it has; what is there stays.
// The file has to be that of the module path.
func retract(gomod []byte, path string, list []Interval, reason func(Interval) string) ([]byte, error) {
	file, err := modfile.Parse("go.mod", gomod, nil)
	if err != nil {
		return nil, fmt.Errorf("read go.mod: %w", err)
	}
	if file.Module == nil || file.Module.Mod.Path != path {
		return nil, fmt.Errorf("go.mod is not that of module %s", path)
	}
	for _, i := range list {
		interval := modfile.VersionInterval{Low: i.Low.String(), High: i.High.String()}
		if err := file.AddRetract(interval, reason(i)); err != nil {
			return nil, fmt.Errorf("retract %s to %s: %w", i.Low, i.High, err)
		}
	}
	file.Cleanup()
	return file.Format()
}

// retraction is a stretch of versions that a go.mod file withdraws, and why.
type retraction struct {
	Interval
	Reason string `json:"reason,omitempty"`
}

// retractions reads what a go.mod file withdraws. What is not understood is passed over, since the file may be that of
// a version from the future.
func retractions(gomod []byte) ([]retraction, error) {
	file, err := modfile.ParseLax("go.mod", gomod, nil)
	if err != nil {
		return nil, err
	}
	var list []retraction
	for _, r := range file.Retract {
		low, errLow := ParseVersion(r.Low)
		high, errHigh := ParseVersion(r.High)
		if errLow == nil && errHigh == nil {
			list = append(list, retraction{Interval{low, high}, r.Rationale})
		}
	}
	return list, nil
}

func (i Interval) has(v Version) bool { return i.Low.Compare(v) <= 0 && v.Compare(i.High) <= 0 }
