package render

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// minSplit is the smallest limit of Split: room for a few characters and their escapes.
	minSplit = 64
	// maxPiece is how long a word may be before Split cuts it like text in scripts without spaces.
	maxPiece = 32
)

// Split cuts a body into bodies of at most limit bytes each, as [Body.Size] counts them, in the order to send them in. A
// limit of 0 or less is [MaxSize]; a limit below 64 is 64. A body that fits is returned as it is.
//
// It cuts where a paragraph ends, else where a line does, else between words, and inside a word only if nothing else is
// left, but never in a tag, an entity or a character. Elements that are open at a cut are closed and opened again, and
// ordered lists go on counting. All mentions are in the first body, so that nobody is notified twice. The plain text of
// what is cut is made from the HTML, and HTML from [RawHTML] is cleaned when it has to be cut.
func Split(b Body, limit int) []Body {
	if limit <= 0 {
		limit = MaxSize
	}
	limit = max(limit, minSplit)
	if b.Size() <= limit {
		return []Body{b}
	}
	var bodies []Body
	if b.HTML == "" {
		bodies = splitText(b.Text, limit)
	} else {
		bodies = splitHTML(b.HTML, limit)
	}
	if len(bodies) == 0 {
		bodies = []Body{{}}
	}
	bodies[0].Mentions = b.Mentions
	return bodies
}

// seam says how good a place between two pieces is for a cut.
type seam uint8

const (
	inWord seam = iota
	betweenWords
	betweenLines
	betweenParagraphs
)

// cut returns the end of the part that begins at start: the best seam behind the first quarter of what fits, so
// that no part becomes tiny, else the best there is. Pieces from start up to limit fit; seams[i] is the one behind piece i.
func cut(seams []seam, start, limit int) int {
	if limit >= len(seams) {
		return limit
	}
	for _, from := range []int{start + (limit-start)/4, start} {
		best := -1
		for i := limit - 1; i >= from; i-- {
			if seams[i] > inWord && (best < 0 || seams[i] > seams[best]) {
				best = i
			}
		}
		if best >= 0 {
			return best + 1
		}
	}
	return limit
}

// textPieces cuts text behind white space and newlines, and long words into short pieces.
func textPieces(text string) (pieces []string, seams []seam) {
	for text != "" {
		end, after := pieceEnd(text)
		pieces, seams = append(pieces, text[:end]), append(seams, after)
		text = text[end:]
	}
	return pieces, seams
}

func pieceEnd(text string) (end int, after seam) {
	for end < len(text) && strings.IndexByte(blanks, text[end]) < 0 {
		if end >= maxPiece && utf8.RuneStart(text[end]) {
			return end, inWord
		}
		end++
	}
	start := end
	for end < len(text) && strings.IndexByte(blanks, text[end]) >= 0 && end-start < maxPiece {
		end++
	}
	switch newlines := strings.Count(text[start:end], "\n"); {
	case newlines > 1:
		return end, betweenParagraphs
	case newlines == 1:
		return end, betweenLines
	case end > start:
		return end, betweenWords
	}
	return end, inWord
}

func splitText(text string, limit int) []Body {
	pieces, seams := textPieces(text)
	var bodies []Body
	for start := 0; start < len(pieces); {
		end, size := start, 0
		for end < len(pieces) && size+jsonSize(pieces[end]) <= limit {
			size += jsonSize(pieces[end])
			end++
		}
		if end == start { // a single piece of many escapes
			for part := range runeParts(pieces[start], limit) {
				bodies = append(bodies, Body{Text: part})
			}
			start++
			continue
		}
		end = cut(seams, start, end)
		if part := strings.Trim(strings.Join(pieces[start:end], ""), "\n"); strings.Trim(part, blanks) != "" {
			bodies = append(bodies, Body{Text: part})
		}
		start = end
	}
	return bodies
}

// runeParts yields text in parts of at most limit bytes in JSON.
func runeParts(text string, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, size := 0, 0
		for i, r := range text {
			n := jsonSize(string(r))
			if size+n > limit {
				if !yield(text[start:i]) {
					return
				}
				start, size = i, 0
			}
			size += n
		}
		if start < len(text) {
			yield(text[start:])
		}
	}
}

// piece is a bit of a document that is not cut: a leaf or a part of one, and the elements around it from the outermost.
type piece struct {
	path []*node
	leaf *node  // a text, or an element without content
	text string // the part of a text
}

func splitHTML(source string, limit int) []Body {
	pieces, seams := htmlPieces(parseHTML(source, nil))
	var bodies []Body
	for start := 0; start < len(pieces); {
		end := start + fitting(pieces[start:], limit)
		if end == start {
			// Not even one piece fits with the tags around it, so the rest goes without them.
			return append(bodies, splitText(assemble(pieces[start:]).Text, limit)...)
		}
		end = cut(seams, start, end)
		if b := assemble(pieces[start:end]); strings.Trim(b.Text, blanks) != "" || b.HTML != "" {
			bodies = append(bodies, b)
		}
		start = end
	}
	return bodies
}

// fitting returns how many pieces make a body within the limit.
func fitting(pieces []piece, limit int) int {
	low, high := 0, 1 // low fits; high does not, or is all
	for high < len(pieces) && assemble(pieces[:high]).Size() <= limit {
		low, high = high, 2*high
	}
	high = min(high, len(pieces))
	for low < high {
		middle := low + (high-low+1)/2
		if assemble(pieces[:middle]).Size() <= limit {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

func htmlPieces(nodes []*node) (pieces []piece, seams []seam) {
	var walk func(path, nodes []*node)
	walk = func(path, nodes []*node) {
		for _, n := range nodes {
			switch {
			case n.kind == textNode:
				parts, within := textPieces(n.text)
				for i, part := range parts {
					pieces = append(pieces, piece{path: path, leaf: n, text: part})
					seams = append(seams, within[i])
				}
			case len(n.children) == 0:
				pieces = append(pieces, piece{path: path, leaf: n})
				seams = append(seams, inWord)
			default:
				walk(append(slices.Clip(path), n), n.children)
			}
		}
	}
	walk(nil, nodes)
	for i := range len(pieces) - 1 {
		seams[i] = max(min(seams[i], pieces[i].finest()), pieces[i].seamTo(pieces[i+1]))
	}
	return pieces, seams
}

// finest is the best seam that white space can make in a piece: newlines count in pre alone.
func (p piece) finest() seam {
	if slices.ContainsFunc(p.path, func(n *node) bool { return n.tag == tagPre }) {
		return betweenLines
	}
	return betweenWords
}

// seamTo returns the seam that the elements between p and the next piece make.
func (p piece) seamTo(next piece) seam {
	if p.leaf == next.leaf {
		return inWord
	}
	mine, its := append(slices.Clip(p.path), p.leaf), append(slices.Clip(next.path), next.leaf)
	level := 0
	for mine[level] == its[level] {
		level++
	}
	switch a, b := mine[level], its[level]; {
	case a.tag == tagTd || a.tag == tagTh:
		return betweenWords // a row reads best in one piece
	case !a.isBlock() && !b.isBlock():
		if a.tag == tagBr {
			return betweenLines
		}
		return inWord
	case level == 0:
		return betweenParagraphs
	}
	return betweenLines
}

// assemble makes a body of pieces.
func assemble(pieces []piece) Body {
	root := element(tagDiv)
	open := []*node{root} // copies of the elements in path
	var path []*node
	for _, p := range pieces {
		shared := 0
		for shared < min(len(path), len(p.path)) && path[shared] == p.path[shared] {
			shared++
		}
		open = open[:shared+1]
		for i, n := range p.path[shared:] {
			clone := &node{kind: n.kind, tag: n.tag, align: n.align, attrs: n.attrs}
			if n.tag == tagOl && shared+i+1 < len(p.path) {
				clone.attrs = countOn(n, p.path[shared+i+1])
			}
			parent := open[len(open)-1]
			parent.children = append(parent.children, clone)
			open = append(open, clone)
		}
		parent := open[len(open)-1]
		leaf := *p.leaf
		leaf.text = p.text
		parent.children = append(parent.children, &leaf)
		path = p.path
	}
	tidy(root)
	return Body{Text: nodesText(root.children), HTML: markup(root.children)}
}

// countOn returns the attributes of an ordered list that begins with the given item.
func countOn(list, item *node) []attr {
	number := 1
	if start, ok := list.attr("start"); ok {
		number, _ = strconv.Atoi(start)
	}
	skipped := 0
	for _, n := range list.children {
		if n == item {
			break
		}
		if n.tag == tagLi {
			skipped++
		}
	}
	if skipped == 0 {
		return list.attrs
	}
	return []attr{{"start", strconv.Itoa(number + skipped)}}
}
