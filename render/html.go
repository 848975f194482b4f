package render

// HTML returns source as a body: cleaned as by [Sanitize], with plain text made from it as by [TextFromHTML]. If there
// is nothing in it but text, lines and paragraphs, the body has no HTML.
func HTML(source string) Body {
	nodes := parseHTML(clean(truncate(source, MaxInput)), nil)
	return Body{Text: nodesText(nodes), HTML: markup(nodes)}
}

// RawHTML returns source as a body without holding it to any list of tags, with plain text made from it as by
// [TextFromHTML]. Only control characters and invalid UTF-8 are removed. It is for markup beyond the spec; source must
// not come from others.
func RawHTML(source string) Body {
	source = clean(truncate(source, MaxInput))
	return Body{Text: TextFromHTML(source), HTML: source}
}

// Sanitize returns source with nothing but the tags, attributes and URL schemes that the spec allows in formatted_body
// (client-server API, "m.room.message msgtypes"), every element closed, and nested no deeper than [MaxDepth]. Of other
// tags the content stays, except that of scripts, styles, forms' inputs, and mx-reply. Sanitizing twice changes nothing.
func Sanitize(source string) string {
	return writeHTML(parseHTML(clean(truncate(source, MaxInput)), nil))
}

// TextFromHTML returns what source says, as plain text: paragraphs apart, lists with bullets or numbers, quotes behind
// "> ", tables in columns, links with their URL behind them in parentheses, code as it is, struck text between "~~" and
// spoilers between "||". The quote that older clients put before a reply (mx-reply) is left out.
func TextFromHTML(source string) string {
	return nodesText(parseHTML(clean(truncate(source, MaxInput)), nil))
}
