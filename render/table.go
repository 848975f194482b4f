package render

import (
	"fmt"

	"golang.org/x/net/html/atom"
)

// Align says on which side of a column its cells stand in plain text. HTML in Matrix has no place for it.
type Align uint8

// The alignments of a column.
const (
	AlignLeft Align = iota
	AlignRight
	AlignCenter
)

// Column is the head of a table's column. Name is text.
type Column struct {
	Name  string
	Align Align
}

// Table is a table: columns of text in plain clients, a real table in others. The zero Table is empty and ready to use.
// It is a [Value], so it can be a message by itself or an argument of [Markdown].
type Table struct {
	// Caption stands above the table if it is not empty. It is text.
	Caption string
	// Columns holds the heads, from left to right. Without any, the table has no header row.
	Columns []Column
	// Rows holds the cells, row by row. A [Value] is shown as such; anything else is text, as [fmt.Sprint] prints it.
	// Rows may be of unequal length.
	Rows [][]any
}

var _ Value = Table{}

// Add appends a row.
func (t *Table) Add(cells ...any) { t.Rows = append(t.Rows, cells) }

// Body returns the table in both forms, with the mentions of the values in it.
func (t Table) Body() Body {
	var body Body
	table := element(tagTable)
	if t.Caption != "" {
		table.children = append(table.children, element(tagCaption, textLines(clean(t.Caption))...))
	}
	if len(t.Columns) > 0 {
		head := element(tagTr)
		for _, column := range t.Columns {
			cell := element(tagTh, textLines(clean(column.Name))...)
			cell.align = column.Align
			head.children = append(head.children, cell)
		}
		table.children = append(table.children, element(tagThead, head))
	}
	if len(t.Rows) > 0 {
		rows := element(tagTbody)
		for _, row := range t.Rows {
			rows.children = append(rows.children, t.row(row, &body.Mentions))
		}
		table.children = append(table.children, rows)
	}
	if len(table.children) == 0 {
		return Body{}
	}
	nodes := []*node{table}
	body.Text, body.HTML = nodesText(nodes), writeHTML(nodes)
	return body
}

func (t Table) row(values []any, mentions *Mentions) *node {
	row := element(atom.Tr)
	for i, value := range values {
		cell := element(tagTd)
		if i < len(t.Columns) {
			cell.align = t.Columns[i].Align
		}
		if v, ok := value.(Value); ok {
			b := v.Body()
			mentions.add(b.Mentions)
			cell.children = cellNodes(b)
		} else {
			cell.children = textLines(clean(fmt.Sprint(value)))
		}
		row.children = append(row.children, cell)
	}
	return row
}

// cellNodes returns a Value for a cell, or its text if its markup is too deep to stand in one.
func cellNodes(b Body) []*node {
	b.Text = clean(b.Text)
	nodes := b.nodes()
	if height(nodes)+tableDepth > MaxDepth {
		return textLines(b.Text)
	}
	return []*node{{kind: valueNode, text: b.Text, children: nodes}}
}
