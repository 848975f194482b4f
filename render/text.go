package render

import (
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

const rule = "────────"

// nodesText returns nodes as plain text.
func nodesText(nodes []*node) string { return blocksText(nodes, place{}) }

// maxIndent is how many quotes and lists one in the other are shown as such. Without a bound, each line in a hundred
// quotes would become a hundred times as long.
const maxIndent = 8

// place is where a block of plain text stands.
type place struct {
	tight  bool // there are no blank lines between paragraphs, as in a list
	indent int  // how many quotes and lists are around
}

func (p place) inner() place { return place{p.tight, p.indent + 1} }

// blocksText returns nodes as plain text: runs of inline nodes, and blocks, with a blank line between paragraphs.
func blocksText(nodes []*node, at place) string {
	var parts textParts
	for len(nodes) > 0 {
		end := 0
		for end < len(nodes) && !nodes[end].isBlock() {
			end++
		}
		if end > 0 {
			parts.add(inlineText(nodes[:end]), true)
			nodes = nodes[end:]
			continue
		}
		n := nodes[0]
		parts.add(n.blockText(at), at.tight || n.tag == tagDiv || n.tag == atom.Summary || n.tag == tagLi)
		nodes = nodes[1:]
	}
	return parts.String()
}

// textParts joins blocks of text.
type textParts struct {
	strings.Builder
	tight bool // the last part needs no blank line after it if the next needs none before it
}

func (p *textParts) add(text string, tight bool) {
	if text == "" {
		return
	}
	if p.Len() > 0 {
		p.WriteByte('\n')
		if !tight || !p.tight {
			p.WriteByte('\n')
		}
	}
	p.WriteString(text)
	p.tight = tight
}

func (n *node) blockText(at place) string {
	if n.kind == valueNode {
		return n.text
	}
	switch n.tag {
	case tagHr:
		return rule
	case tagPre:
		return strings.Trim(rawText(n.children), "\n")
	case tagBlockquote:
		text := blocksText(n.children, at.inner())
		if at.indent < maxIndent {
			text = quoteText(text)
		}
		return text
	case tagUl, tagOl:
		return n.listText(place{true, at.indent + 1})
	case tagTable:
		return n.tableText()
	case tagDetails:
		at.tight = true
	}
	return blocksText(n.children, at)
}

func quoteText(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimRight(line, "\n") == "" {
			b.WriteString(">")
		} else {
			b.WriteString("> ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// listText returns a list of which the items stand in the given place.
func (n *node) listText(at place) string {
	number := 1
	if start, ok := n.attr("start"); ok {
		number, _ = strconv.Atoi(start)
	}
	var parts textParts
	parts.tight = true
	for _, item := range n.children {
		if item.tag != tagLi {
			parts.add(blocksText([]*node{item}, at), true)
			continue
		}
		marker := "• "
		if n.tag == tagOl {
			marker = strconv.Itoa(number) + ". "
			number++
		}
		text := blocksText(item.children, at)
		if at.indent <= maxIndent {
			text = indentText(text, marker)
		}
		parts.add(text, true)
	}
	return parts.String()
}

// indentText puts the marker before text, and as many columns of space before its other lines.
func indentText(text, marker string) string {
	if text == "" {
		return strings.TrimRight(marker, " ")
	}
	indent := "\n" + strings.Repeat(" ", displayWidth(marker))
	return marker + strings.ReplaceAll(text, "\n", indent)
}

// rawText returns the text of nodes with white space as it is.
func rawText(nodes []*node) string {
	var b strings.Builder
	for _, n := range nodes {
		switch {
		case n.kind != elementNode:
			b.WriteString(n.text)
		case n.tag == tagBr:
			b.WriteByte('\n')
		default:
			b.WriteString(rawText(n.children))
		}
	}
	return b.String()
}

func inlineText(nodes []*node) string {
	var w inlineWriter
	w.nodes(nodes)
	return w.String()
}

// inlineWriter collects text as HTML shows it: white space counts once, and not at all at the ends of lines.
type inlineWriter struct {
	strings.Builder
	space   bool // white space waits for the text that follows
	midLine bool
}

func (w *inlineWriter) nodes(nodes []*node) {
	for _, n := range nodes {
		w.node(n)
	}
}

func (w *inlineWriter) node(n *node) {
	switch n.kind {
	case textNode:
		w.text(n.text)
		return
	case literalNode, valueNode:
		w.literal(n.text)
		return
	}
	switch n.tag {
	case tagBr:
		w.space, w.midLine = false, false
		w.WriteByte('\n')
	case tagImg:
		alt, ok := n.attr("alt")
		if !ok {
			alt, _ = n.attr("title")
		}
		w.literal(alt)
	case tagA:
		w.link(n)
	case atom.Del, atom.S:
		// Without a mark the text would say the opposite of what is meant.
		w.wrap("~~", n, "~~")
	case atom.Sup:
		w.wrap("^", n, "")
	case atom.Sub:
		w.wrap("_", n, "")
	case atom.Span:
		w.span(n)
	default:
		w.nodes(n.children)
	}
}

func (w *inlineWriter) span(n *node) {
	reason, spoiler := n.attr("data-mx-spoiler")
	switch {
	case !spoiler:
		w.nodes(n.children)
	case reason != "":
		w.wrap("("+reason+") ||", n, "||")
	default:
		w.wrap("||", n, "||")
	}
}

// link writes what a link reads and, unless that says as much, where it leads. Pills are names and no more.
func (w *inlineWriter) link(n *node) {
	href, _ := n.attr("href")
	label := inlineText(n.children)
	w.nodes(n.children)
	if strings.HasPrefix(href, "https://matrix.to/#/") || sameURL(label, href) {
		return
	}
	if label == "" {
		w.literal(href)
		return
	}
	w.literal(" (" + href + ")")
}

// sameURL reports whether a reader of label knows href.
func sameURL(label, href string) bool {
	if label == href || escapeURL(label, isURLByte) == href {
		return true
	}
	return "mailto:"+label == href
}

func (w *inlineWriter) wrap(before string, n *node, after string) {
	if len(n.children) == 0 {
		return
	}
	w.literal(before)
	w.nodes(n.children)
	w.WriteString(after)
}

func (w *inlineWriter) text(s string) {
	for i, r := range s {
		if strings.ContainsRune(blanks, r) {
			w.space = w.space || w.midLine
			continue
		}
		w.flush()
		w.WriteString(s[i : i+len(string(r))])
	}
}

func (w *inlineWriter) literal(s string) {
	if s != "" {
		w.flush()
		w.WriteString(s)
	}
}

func (w *inlineWriter) flush() {
	if w.space {
		w.WriteByte(' ')
	}
	w.space, w.midLine = false, true
}
