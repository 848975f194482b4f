package attachment

import "image"

// orient turns a picture the way that its EXIF orientation says: 1 is upright, 2 to 8 are mirrored, turned or both
// (Exif 2.32, 4.6.4 A). Any other number changes nothing.
func orient(src *image.RGBA, orientation int) *image.RGBA {
	width, height := src.Rect.Dx(), src.Rect.Dy()
	// The source's pixel for (x, y) of the result.
	var from func(x, y int) (int, int)
	switch orientation {
	case 2:
		from = func(x, y int) (int, int) { return width - 1 - x, y }
	case 3:
		from = func(x, y int) (int, int) { return width - 1 - x, height - 1 - y }
	case 4:
		from = func(x, y int) (int, int) { return x, height - 1 - y }
	case 5:
		from = func(x, y int) (int, int) { return y, x }
	case 6:
		from = func(x, y int) (int, int) { return y, height - 1 - x }
	case 7:
		from = func(x, y int) (int, int) { return width - 1 - y, height - 1 - x }
	case 8:
		from = func(x, y int) (int, int) { return width - 1 - y, x }
	default:
		return src
	}
	size := image.Rect(0, 0, width, height)
	if turned(orientation) {
		size = image.Rect(0, 0, height, width)
	}
	dst := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			sx, sy := from(x, y)
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):])
		}
	}
	return dst
}

// turned tells whether width and height change places.
func turned(orientation int) bool { return orientation >= 5 && orientation <= 8 }
