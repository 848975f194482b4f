package render

// Align says on which side of a column its cells stand in plain text. HTML in Matrix has no place for it.
type Align uint8

// The alignments of a column.
const (
	AlignLeft Align = iota
	AlignRight
	AlignCenter
)
