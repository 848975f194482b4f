package probe

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
)

const svgSpace = "http://www.w3.org/2000/svg"

// maxProlog is how far into an XML file the first tag may end, in bytes.
const maxProlog = 256 << 10

// svgRoot gives the first tag of an SVG. XML with anything else at its root is none. Nothing behind that tag is looked
// at and no entity is expanded, so there is nothing to blow up.
//
// An error is one of reading.
func svgRoot(s *source) (xml.StartElement, bool, error) {
	in := &stream{s: s}
	d := xml.NewDecoder(io.LimitReader(in, maxProlog))
	// Drawing programs write entities into the namespaces; they stay as they are.
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := d.RawToken()
		if err != nil {
			return xml.StartElement{}, false, in.failed
		}
		if root, ok := token.(xml.StartElement); ok {
			return root, root.Name.Local == "svg" && inSVGSpace(root), nil
		}
	}
}

// inSVGSpace tells whether the root has SVG's namespace. An entity may stand for it.
func inSVGSpace(root xml.StartElement) bool {
	for _, a := range root.Attr {
		plain := root.Name.Space == "" && a.Name.Space == "" && a.Name.Local == "xmlns"
		prefixed := root.Name.Space != "" && a.Name.Space == "xmlns" && a.Name.Local == root.Name.Space
		if plain || prefixed {
			return a.Value == svgSpace || strings.HasPrefix(a.Value, "&")
		}
	}
	return false
}

// readSVG takes the size from width and height, and from viewBox where they are missing or relative (SVG 2, 8.2, 8.12).
func readSVG(s *source, info *Info) error {
	root, ok, err := svgRoot(s)
	if err != nil {
		return err
	}
	if !ok {
		return malformed("root of an SVG")
	}
	info.Alpha = true
	var width, height, boxWidth, boxHeight float64
	for _, a := range root.Attr {
		if a.Name.Space != "" {
			continue
		}
		switch a.Name.Local {
		case "width":
			width = cssLength(a.Value)
		case "height":
			height = cssLength(a.Value)
		case "viewBox":
			boxWidth, boxHeight = viewBox(a.Value)
		}
	}
	switch {
	case width > 0 && height > 0:
	case boxWidth <= 0 || boxHeight <= 0:
		return nil // It takes the size of what it is put into
	case width > 0:
		height = width * boxHeight / boxWidth
	case height > 0:
		width = height * boxWidth / boxHeight
	default:
		width, height = boxWidth, boxHeight
	}
	if width > maxSide || height > maxSide {
		return malformed("size of an SVG")
	}
	info.Width, info.Height = max(1, int(math.Round(width))), max(1, int(math.Round(height)))
	return nil
}

// pixelsPer are CSS's absolute units, and the relative ones at a browser's default font (CSS Values 4, 6).
var pixelsPer = []struct {
	unit   string
	pixels float64
}{
	{"px", 1}, {"pt", 96.0 / 72}, {"pc", 16}, {"in", 96}, {"cm", 96 / 2.54}, {"mm", 96 / 25.4}, {"q", 96 / 101.6},
	{"rem", 16}, {"em", 16}, {"ex", 8}, {"", 1},
}

// cssLength is a length in pixels, or 0 if it is relative or none.
func cssLength(text string) float64 {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, u := range pixelsPer {
		if number, ok := strings.CutSuffix(text, u.unit); ok {
			return positive(strings.TrimSpace(number)) * u.pixels
		}
	}
	return 0
}

// viewBox is the size of one; numbers are parted by spaces or commas.
func viewBox(text string) (width, height float64) {
	if len(text) > 256 {
		return 0, 0
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	if len(fields) != 4 {
		return 0, 0
	}
	return positive(fields[2]), positive(fields[3])
}

// positive is a number greater than zero and finite, or 0.
func positive(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0) || math.IsInf(v, 0) || strings.ContainsAny(text, "xXpP_") {
		return 0
	}
	return v
}

// stream reads a source from its start.
type stream struct {
	s      *source
	off    int64
	failed error
}

// Read implements io.Reader.
func (r *stream) Read(p []byte) (int, error) {
	if r.off >= r.s.size {
		return 0, io.EOF
	}
	piece, err := r.s.head(r.off, min(len(p), pageSize))
	if err != nil {
		r.failed = err
		return 0, err
	}
	n := copy(p, piece)
	r.off += int64(n)
	return n, nil
}
