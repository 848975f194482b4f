package render

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// The tags of the spec's list that the code speaks of by name.
const (
	tagA          = atom.A
	tagBlockquote = atom.Blockquote
	tagBr         = atom.Br
	tagCaption    = atom.Caption
	tagCode       = atom.Code
	tagDetails    = atom.Details
	tagDiv        = atom.Div
	tagHr         = atom.Hr
	tagImg        = atom.Img
	tagLi         = atom.Li
	tagOl         = atom.Ol
	tagP          = atom.P
	tagPre        = atom.Pre
	tagTable      = atom.Table
	tagTbody      = atom.Tbody
	tagTd         = atom.Td
	tagTh         = atom.Th
	tagThead      = atom.Thead
	tagTr         = atom.Tr
	tagUl         = atom.Ul
)

type nodeKind uint8

const (
	elementNode nodeKind = iota
	textNode             // text of a document, in which runs of white space count as one
	literalNode          // text of an argument, which stands as it is
	valueNode            // a Value: children in HTML, text in plain text
)

// node is a piece of a clean document. Only the tags and attributes that policy.go allows ever get into one.
type node struct {
	kind     nodeKind
	tag      atom.Atom
	align    Align // of th and td; HTML has no place for it, plain text has
	attrs    []attr
	text     string // of a text; of a link or image without its URL, what follows its content
	children []*node
}

type attr struct{ key, value string }

func element(tag atom.Atom, children ...*node) *node {
	return &node{kind: elementNode, tag: tag, children: children}
}

func (n *node) attr(key string) (string, bool) {
	for _, a := range n.attrs {
		if a.key == key {
			return a.value, true
		}
	}
	return "", false
}

// isBlock reports whether n stands on lines of its own.
func (n *node) isBlock() bool {
	if n.kind == elementNode && isBlockTag(n.tag) {
		return true
	}
	return anyBlock(n.children)
}

func anyBlock(nodes []*node) bool {
	for _, n := range nodes {
		if n.isBlock() {
			return true
		}
	}
	return false
}

// hasMarkup reports whether plain text can't say what nodes do: there is more than text, lines and paragraphs.
func hasMarkup(nodes []*node) bool {
	for _, n := range nodes {
		if n.kind == elementNode && n.tag != tagP && n.tag != tagBr {
			return true
		}
		if hasMarkup(n.children) {
			return true
		}
	}
	return false
}

// hasTag reports whether an element with the tag is among nodes or below them.
func hasTag(nodes []*node, tag atom.Atom) bool {
	for _, n := range nodes {
		if n.tag == tag || hasTag(n.children, tag) {
			return true
		}
	}
	return false
}

// height is the number of elements on the longest way down.
func height(nodes []*node) int {
	deepest := 0
	for _, n := range nodes {
		h := height(n.children)
		if n.kind == elementNode {
			h++
		}
		deepest = max(deepest, h)
	}
	return deepest
}

// textLines returns text as literal nodes with a <br> for every newline.
func textLines(text string) []*node {
	var nodes []*node
	for line := range strings.SplitSeq(text, "\n") {
		if nodes != nil {
			nodes = append(nodes, element(tagBr))
		}
		nodes = append(nodes, &node{kind: literalNode, text: line})
	}
	return nodes
}
