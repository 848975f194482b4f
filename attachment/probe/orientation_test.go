package probe_test

import (
	"testing"

	"github.com/niobot/niobot/attachment/probe"
)

// corner gives where a pixel of a picture of 3 by 2 goes by an EXIF orientation.
func corner(orientation, x, y int) (int, int) {
	const w, h = 3, 2
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}

// TestTurning does each row of steps with a pixel, and compares with where the orientation puts it.
func TestTurning(t *testing.T) {
	for steps, want := range map[string]int{
		"": 1, "r": 6, "rr": 3, "rrr": 8, "rrrr": 1, "m": 2, "mm": 1, "mrr": 4, "rrm": 4,
		"mr": 7, "mrrr": 5, "rm": 5, "rrrm": 7,
	} {
		got := probe.Turn(steps)
		if got != want {
			t.Errorf("%q is orientation %d, want %d", steps, got, want)
		}
		x, y, w, h := 1, 0, 3, 2
		for _, step := range steps {
			if step == 'r' {
				x, y, w, h = h-1-y, x, h, w
			} else {
				x = w - 1 - x
			}
		}
		if wantX, wantY := corner(got, 1, 0); x != wantX || y != wantY {
			t.Errorf("%q: the pixel goes to (%d, %d), and by orientation %d to (%d, %d)", steps, x, y, got, wantX, wantY)
		}
	}
}

// TestMatrices moves a vector by each matrix and compares with where the orientation puts it.
func TestMatrices(t *testing.T) {
	seen := map[int]bool{}
	for _, m := range [][4]int32{
		{1, 0, 0, 1}, {-1, 0, 0, 1}, {-1, 0, 0, -1}, {1, 0, 0, -1},
		{0, 1, 1, 0}, {0, 1, -1, 0}, {0, -1, -1, 0}, {0, -1, 1, 0},
	} {
		got := probe.MatrixOrientation(m[0]<<16, m[1]<<16, m[2]<<16, m[3]<<16)
		seen[got] = true
		// From the top left corner to its right neighbour and to the one below.
		x0, y0 := corner(got, 0, 0)
		rightX, rightY := corner(got, 1, 0)
		downX, downY := corner(got, 0, 1)
		if int(m[0]) != rightX-x0 || int(m[1]) != rightY-y0 || int(m[2]) != downX-x0 || int(m[3]) != downY-y0 {
			t.Errorf("matrix %v is orientation %d, which moves otherwise", m, got)
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d orientations, want 8", len(seen))
	}
	if got := probe.MatrixOrientation(46341, 46341, -46341, 46341); got != 1 {
		t.Errorf("an eighth of a turn is orientation %d, want 1", got)
	}
}
