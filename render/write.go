package render

import (
	"strings"
)

var (
	textEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attrEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

// markup returns nodes as HTML, and nothing if plain text says the same.
func markup(nodes []*node) string {
	if !hasMarkup(nodes) {
		return ""
	}
	return writeHTML(nodes)
}

func writeHTML(nodes []*node) string {
	var b strings.Builder
	for _, n := range nodes {
		n.write(&b)
	}
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	if n.kind == textNode || n.kind == literalNode {
		_, _ = textEscaper.WriteString(b, n.text)
		return
	}
	if n.kind == elementNode {
		n.writeTag(b)
		if policy[n.tag]&voidTag != 0 {
			return
		}
	}
	for _, child := range n.children {
		child.write(b)
	}
	if n.kind == elementNode {
		b.WriteString("</")
		b.WriteString(n.tag.String())
		b.WriteByte('>')
	}
}

func (n *node) writeTag(b *strings.Builder) {
	b.WriteByte('<')
	b.WriteString(n.tag.String())
	for _, a := range n.attrs {
		b.WriteByte(' ')
		b.WriteString(a.key)
		if a.value != "" {
			b.WriteString(`="`)
			_, _ = attrEscaper.WriteString(b, a.value)
			b.WriteByte('"')
		}
	}
	b.WriteByte('>')
	if n.tag == tagPre && startsWithNewline(n) {
		b.WriteByte('\n') // a reader drops the first newline in pre
	}
}

// startsWithNewline reports whether the first thing in n is a newline.
func startsWithNewline(n *node) bool {
	for _, child := range n.children {
		if child.kind == elementNode {
			return false
		}
		if child.kind == valueNode {
			return startsWithNewline(child)
		}
		if child.text != "" {
			return child.text[0] == '\n'
		}
	}
	return false
}
