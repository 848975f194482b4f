package render

import (
	"slices"
	"strings"
)

// textCell is a cell as plain text shows it: one line.
type textCell struct {
	text  string
	width int
	align Align
}

// tableText returns a table as columns of text, with a rule under the header.
func (n *node) tableText() string {
	var parts []string
	var rows [][]textCell
	header := 0
	for _, section := range n.children {
		if section.tag == tagCaption {
			parts = append(parts, blocksText(section.children, place{tight: true}))
			continue
		}
		for _, row := range section.children {
			rows = append(rows, textRow(row))
		}
		if section.tag == tagThead {
			header = len(rows)
		}
	}
	if header == 0 && len(n.children) > 0 && len(rows) > 1 && isHeader(n) {
		header = 1
	}
	widths := columnWidths(rows)
	for i, row := range rows {
		if i == header && i > 0 {
			parts = append(parts, ruleLine(widths))
		}
		parts = append(parts, rowLine(row, widths))
	}
	return strings.Join(parts, "\n")
}

// isHeader reports whether the first row of a table without thead is nothing but header cells.
func isHeader(table *node) bool {
	for _, section := range table.children {
		if section.tag == tagTbody && len(section.children) > 0 {
			return !slices.ContainsFunc(section.children[0].children, func(cell *node) bool { return cell.tag != tagTh })
		}
	}
	return false
}

func textRow(row *node) []textCell {
	cells := make([]textCell, 0, len(row.children))
	for _, n := range row.children {
		text := strings.ReplaceAll(blocksText(n.children, place{tight: true}), "\n", " ")
		cells = append(cells, textCell{text: text, width: displayWidth(text), align: n.align})
	}
	return cells
}

func columnWidths(rows [][]textCell) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(cell.width, maxColumnWidth))
		}
	}
	return widths
}

func rowLine(row []textCell, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		if i > 0 {
			b.WriteString(" | ")
		}
		free := max(0, widths[i]-cell.width)
		left := 0
		switch cell.align {
		case AlignRight:
			left = free
		case AlignCenter:
			left = free / 2
		}
		b.WriteString(strings.Repeat(" ", left))
		b.WriteString(cell.text)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", free-left))
		}
	}
	return b.String()
}

func ruleLine(widths []int) string {
	var b strings.Builder
	for i, width := range widths {
		if i > 0 {
			b.WriteString("-+-")
		}
		b.WriteString(strings.Repeat("-", width))
	}
	return b.String()
}
