package probe

// turning is a way to turn a picture: mirrored from left to right first, if at all, and then turned clockwise.
type turning struct {
	mirrored bool
	quarters int // 0 to 3
}

// turn adds some quarters clockwise.
func (t *turning) turn(quarters int) { t.quarters = (t.quarters + quarters) & 3 }

// mirror adds an exchange of left and right.
func (t *turning) mirror() {
	t.mirrored = !t.mirrored
	t.quarters = -t.quarters & 3
}

// orientation is the EXIF orientation that asks for it.
func (t turning) orientation() int {
	if t.mirrored {
		return [4]int{2, 7, 4, 5}[t.quarters]
	}
	return [4]int{1, 6, 3, 8}[t.quarters]
}

// matrixOrientation is the EXIF orientation that does the same as the first two columns of a transformation matrix
// (ISO/IEC 14496-12, 6.2.2), which are 16.16 fixed-point numbers. What is no quarter turn counts as upright.
func matrixOrientation(a, b, c, d int32) int {
	sign := func(v int32) int {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return 0
	}
	// x' = ax + cy, y' = bx + dy, with y pointing down.
	switch [4]int{sign(a), sign(b), sign(c), sign(d)} {
	case [4]int{-1, 0, 0, 1}:
		return 2
	case [4]int{-1, 0, 0, -1}:
		return 3
	case [4]int{1, 0, 0, -1}:
		return 4
	case [4]int{0, 1, 1, 0}:
		return 5
	case [4]int{0, 1, -1, 0}:
		return 6
	case [4]int{0, -1, -1, 0}:
		return 7
	case [4]int{0, -1, 1, 0}:
		return 8
	}
	return 1
}
