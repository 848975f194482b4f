package render

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const blanks = " \t\n\f\r"

// tableDepth is how many elements a cell is: table, tbody, tr, td.
const tableDepth = 4

// parser builds a clean document out of HTML tokens. It is not the tree builder of the HTML standard: that one repeats
// formatting elements, so that a few kilobytes of input can become gigabytes, and it moves content out of tables. This
// one takes linear time, and what it builds has one property that FuzzSanitize holds it to: written out and read by the
// standard's tree builder, it yields the same tree, so a browser sees what was checked here.
type parser struct {
	stack []*node // the open elements; the first is the root
	slots *slots  // what stands for the placeholders of Markdown; nil elsewhere
}

// parseHTML returns source as clean nodes. Placeholders in it are filled from slots, which may be nil.
func parseHTML(source string, slots *slots) []*node {
	root := &node{tag: tagDiv}
	p := &parser{stack: []*node{root}, slots: slots}
	p.parse(source)
	p.pop(1)
	tidy(root)
	return root.children
}

func (p *parser) parse(source string) {
	tokens := html.NewTokenizer(strings.NewReader(source))
	var skipped string // the dropped element that the tokens are in
	var skipDepth int
	afterPre := false
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return // a strings.Reader fails only at its end
		}
		token := tokens.Token()
		start := kind == html.StartTagToken || kind == html.SelfClosingTagToken
		switch {
		case skipped != "":
			if token.Data == skipped && start {
				skipDepth++
			} else if token.Data == skipped && kind == html.EndTagToken {
				if skipDepth--; skipDepth == 0 {
					skipped = ""
				}
			}
			continue
		case start && dropped[token.Data]:
			skipped, skipDepth = token.Data, 1
			continue
		case kind == html.TextToken:
			text := clean(token.Data)
			if afterPre {
				text = strings.TrimPrefix(text, "\n") // the standard: a newline at the start of pre is not part of it
			}
			p.text(text)
		case start:
			if tag := allowedTag(token.Data); tag != 0 {
				p.open(tag, token.Attr)
			}
		case kind == html.EndTagToken:
			if tag := allowedTag(token.Data); tag != 0 {
				p.close(tag)
			}
		}
		afterPre = start && token.DataAtom == tagPre
	}
}

func (p *parser) top() *node { return p.stack[len(p.stack)-1] }

// pop closes open elements until depth of them are left, the root among them.
func (p *parser) pop(depth int) {
	p.stack = p.stack[:depth]
}

func (p *parser) push(n *node) {
	p.add(n)
	p.stack = append(p.stack, n)
}

func (p *parser) add(n *node) {
	parent := p.top()
	parent.children = append(parent.children, n)
}

// find returns the place on the stack of the innermost open element with one of the tags, and 0 if there is none on
// this side of barriers.
func (p *parser) find(tags []atom.Atom, barriers []atom.Atom) int {
	for i := len(p.stack) - 1; i > 0; i-- {
		tag := p.stack[i].tag
		if slices.Contains(tags, tag) {
			return i
		}
		if slices.Contains(barriers, tag) {
			return 0
		}
	}
	return 0
}

var (
	cells        = []atom.Atom{tagTd, tagTh, tagCaption}
	tables       = []atom.Atom{tagTable}
	rows         = []atom.Atom{tagTr}
	sections     = []atom.Atom{tagThead, tagTbody}
	lists        = []atom.Atom{tagUl, tagOl}
	headings     = []atom.Atom{atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6}
	paragraphs   = []atom.Atom{tagP}
	links        = []atom.Atom{tagA}
	itemBarriers = []atom.Atom{tagTd, tagTh, tagCaption, tagUl, tagOl}
)

func (p *parser) open(tag atom.Atom, attrs []html.Attribute) {
	class := policy[tag]
	if class&tablePart != 0 {
		p.openTablePart(tag, attrs)
		return
	}
	p.enterCell()
	if class&blockTag != 0 {
		p.closeFound(paragraphs, cells)
	}
	if class&headingTag != 0 {
		p.closeFound(headings, cells)
	}
	n := p.element(tag, attrs)
	if class&voidTag != 0 {
		p.addVoid(n)
		return
	}
	room := 1
	switch tag {
	case tagA:
		if p.find(links, nil) > 0 {
			return
		}
	case tagLi:
		list := p.find(lists, cells)
		if list == 0 {
			return
		}
		p.pop(list + 1)
	case tagTable:
		room = tableDepth
	}
	// One level is kept free for void elements.
	if len(p.stack)-1+room >= MaxDepth {
		return
	}
	p.push(n)
}

func (p *parser) addVoid(n *node) {
	if _, ok := n.attr("src"); n.tag == tagImg && !ok {
		alt, _ := n.attr("alt")
		p.addText(alt + n.text) // not text: placeholders in it have been filled
		return
	}
	p.add(n)
}

func (p *parser) openTablePart(tag atom.Atom, attrs []html.Attribute) {
	table := p.find(tables, nil)
	if table == 0 {
		return
	}
	switch tag {
	case tagCaption, tagThead, tagTbody:
		p.pop(table + 1)
	case tagTr:
		p.openSection(table)
	default:
		if row := p.find(rows, tables); row > 0 {
			p.pop(row + 1)
		} else {
			p.openSection(table)
			p.push(element(tagTr))
		}
	}
	n := p.element(tag, attrs)
	n.align = alignOf(attrs)
	p.push(n)
}

// openSection makes a thead or tbody the innermost open element.
func (p *parser) openSection(table int) {
	if section := p.find(sections, tables); section > 0 {
		p.pop(section + 1)
		return
	}
	p.pop(table + 1)
	p.push(element(tagTbody))
}

// enterCell opens a cell if the innermost open element is a part of a table that holds cells only.
func (p *parser) enterCell() {
	switch p.top().tag {
	case tagTable, tagThead, tagTbody, tagTr:
		p.openTablePart(tagTd, nil)
	}
}

func (p *parser) close(tag atom.Atom) {
	barriers := cells
	switch {
	case tag == tagTable:
		barriers = nil
	case policy[tag]&tablePart != 0:
		barriers = tables
	case tag == tagLi:
		barriers = itemBarriers
	}
	p.closeFound([]atom.Atom{tag}, barriers)
}

func (p *parser) closeFound(tags []atom.Atom, barriers []atom.Atom) {
	if i := p.find(tags, barriers); i > 0 {
		p.pop(i)
	}
}

// element returns a node with the attributes that are allowed on it.
func (p *parser) element(tag atom.Atom, attrs []html.Attribute) *node {
	n := element(tag)
	for _, a := range attrs {
		key, value := a.Key, clean(a.Val)
		if tag == atom.Span && key == "color" { // of a font
			key = "data-mx-color"
		}
		if _, known := n.attr(key); known || a.Namespace != "" {
			continue
		}
		isURL := key == "href" && tag == tagA || key == "src" && tag == tagImg
		value, filled := p.slots.attr(value, isURL)
		if allowed, ok := allowedAttr(tag, key, value); ok {
			n.attrs = append(n.attrs, attr{key, clean(allowed)})
		} else if filled && isURL {
			n.text = " (" + strings.ReplaceAll(value, "\n", " ") + ")"
		}
	}
	if _, ok := n.attr("href"); tag == tagA && !ok {
		n.attrs = nil
	}
	return n
}

func alignOf(attrs []html.Attribute) Align {
	for _, a := range attrs {
		if a.Key == "align" {
			switch strings.ToLower(a.Val) {
			case "right":
				return AlignRight
			case "center":
				return AlignCenter
			}
		}
	}
	return AlignLeft
}

// text adds the text of a document, in which there may be placeholders.
func (p *parser) text(s string) {
	for s != "" {
		before, index, after, found := p.slots.cut(s)
		p.addText(before)
		if found {
			p.fill(&p.slots.args[index])
		}
		s = after
	}
}

func (p *parser) addText(s string) {
	if s == "" {
		return
	}
	if policy[p.top().tag]&tablePart != 0 || p.top().tag == tagTable {
		if strings.Trim(s, blanks) == "" && !slices.Contains(cells, p.top().tag) {
			return
		}
		p.enterCell()
	}
	p.add(&node{kind: textNode, text: s})
}

// fill adds an argument, in the way that suits the place.
func (p *parser) fill(s *slot) {
	p.enterCell()
	if p.canHold(s) {
		if anyBlock(s.nodes) {
			p.endLine()
			p.closeFound(paragraphs, cells)
		}
		p.literal(s.left)
		p.add(&node{kind: valueNode, text: s.text, children: s.nodes})
		p.literal(s.right)
		return
	}
	text := s.left + s.text + s.right
	if p.find([]atom.Atom{tagPre}, cells) > 0 {
		p.literal(text)
		return
	}
	for _, n := range textLines(text) {
		p.add(n)
	}
}

// endLine drops a line break that a block takes the place of.
func (p *parser) endLine() {
	parent := p.top()
	last := len(parent.children) - 1
	for last >= 0 && parent.children[last].kind == textNode && strings.Trim(parent.children[last].text, blanks) == "" {
		last--
	}
	if last >= 0 && parent.children[last].tag == tagBr {
		parent.children = parent.children[:last]
	}
}

func (p *parser) literal(s string) {
	if s != "" {
		p.add(&node{kind: literalNode, text: s})
	}
}

// canHold reports whether a Value may stand here with its markup. Else its text stands for it.
func (p *parser) canHold(s *slot) bool {
	if s.nodes == nil || len(p.stack)-1+height(s.nodes) > MaxDepth {
		return false
	}
	block, link := anyBlock(s.nodes), hasTag(s.nodes, tagA)
	for _, open := range p.stack[1:] {
		switch open.tag {
		case tagPre, tagCode:
			return false
		case tagA:
			if link || block {
				return false
			}
		case tagBlockquote, tagDetails, tagDiv, tagP, tagLi, tagUl, tagOl,
			tagTable, tagThead, tagTbody, tagTr, tagTd, tagTh:
		default:
			if block {
				return false
			}
		}
	}
	return true
}
