package render

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// tidy drops what nobody sees: white space beside blocks and line breaks, empty paragraphs, links that
// lead nowhere, and spans that say nothing.
func tidy(parent *node) {
	for _, n := range parent.children {
		tidy(n)
	}
	parent.children = dissolve(parent.children)
	if parent.tag != tagPre {
		parent.children = trim(parent.children, isBlockTag(parent.tag))
	}
}

// dissolve replaces links and spans without attributes by what is in them, and empty paragraphs by white space. It joins
// the texts that come together.
func dissolve(nodes []*node) []*node {
	kept := make([]*node, 0, len(nodes))
	var texts []string // of the text node that is the last of kept
	join := func() {
		if len(texts) > 1 {
			kept[len(kept)-1].text = strings.Join(texts, "")
		}
		texts = texts[:0]
	}
	add := func(n *node) {
		if n.kind != textNode {
			join()
			kept = append(kept, n)
			return
		}
		if len(texts) == 0 {
			kept = append(kept, n)
		}
		texts = append(texts, n.text)
	}
	for _, n := range nodes {
		switch {
		case n.kind == elementNode && n.tag == tagP && len(n.children) == 0:
			add(&node{kind: textNode, text: " "})
		case n.kind == elementNode && (n.tag == tagA || n.tag == atom.Span) && n.attrs == nil:
			for _, child := range n.children {
				add(child)
			}
			if n.text != "" {
				add(&node{kind: literalNode, text: n.text})
			}
		case n.kind == literalNode && n.text == "":
		default:
			add(n)
		}
	}
	join()
	return kept
}

// trim drops the white space beside blocks and line breaks. Block says that nodes are all there is in a block.
func trim(nodes []*node, block bool) []*node {
	kept := nodes[:0]
	starts := block // a line starts before the next node
	for i, n := range nodes {
		last := i == len(nodes)-1
		switch {
		case n.kind == textNode:
			if starts {
				n.text = strings.TrimLeft(n.text, blanks)
			}
			if last && block || !last && nodes[i+1].isBlock() {
				n.text = strings.TrimRight(n.text, blanks)
			}
			if n.text == "" {
				continue
			}
		case n.tag == tagBr && len(kept) > 0 && kept[len(kept)-1].kind == valueNode && kept[len(kept)-1].isBlock():
			continue // a block ends its line by itself
		}
		starts = n.tag == tagBr || n.kind == elementNode && isBlockTag(n.tag) || n.kind == valueNode && n.isBlock()
		kept = append(kept, n)
	}
	clear(nodes[len(kept):])
	return kept
}
