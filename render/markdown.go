package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	"maunium.net/go/mautrix/format/mdext"
)

// never matches nothing: bare e-mail addresses and "www." are no links, since "@name" and host names are common in
// messages about Matrix.
var never = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)

var converter = goldmark.New(
	goldmark.WithExtensions(
		extension.Strikethrough,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.NewLinkify(
			extension.WithLinkifyEmailRegexp(never),
			extension.WithLinkifyWWWRegexp(never),
		),
		mdext.SimpleSpoiler,
	),
	// What is unsafe here is cleaned when the result is read.
	goldmark.WithRendererOptions(html.WithHardWraps(), html.WithUnsafe()),
)

// Markdown returns a body made from a printf format that is markdown, and arguments that are text.
//
// The format is CommonMark with tables, ~~struck~~ text, ||spoilers|| and links for bare URLs; a line break is a line
// break. HTML in it is cleaned as by [Sanitize]. Verbs, widths and the rest are those of [fmt.Sprintf].
//
// An argument shows up as fmt prints it, wherever it stands: in text, code, a table, a link's text or an attribute. It
// makes no markup, no link, no pill and no mention, and ends no list, quote or table; its newlines are line breaks.
// In a link's destination it is escaped for its place in the URL, and what has none of the spec's schemes then becomes
// text. To pass more than text, pass a [Value] for %s or %v.
//
// If there is nothing in the result but text, lines and paragraphs, the body has no HTML. Format and arguments are read
// up to [MaxInput] bytes.
func Markdown(format string, args ...any) Body {
	if !isMarkdown(format) && !slices.ContainsFunc(args, isValue) {
		if len(args) == 0 && strings.IndexByte(format, '%') < 0 {
			return Plain(format)
		}
		return Plain(fmt.Sprintf(format, args...))
	}
	return renderMarkdown(truncate(format, MaxInput), args)
}

func isValue(arg any) bool {
	_, ok := arg.(Value)
	return ok
}

// isMarkdown reports whether markdown could make anything but text of a format. It may be wrong in saying so.
func isMarkdown(format string) bool {
	if strings.ContainsAny(format, "*_~`|[]<>&\\#") || strings.Contains(format, "://") {
		return true
	}
	for line := range strings.Lines(format) {
		text := strings.TrimLeft(line, " ")
		if len(line)-len(text) >= 4 {
			return true // indented code
		}
		if text == "" {
			continue
		}
		if c := text[0]; c == '-' || c == '+' || c == '=' || c == '\t' || c >= '0' && c <= '9' {
			return true
		}
	}
	return false
}

func renderMarkdown(format string, args []any) Body {
	texts := slices.Clone(args) // as fmt gets them: of a Value, its text
	values := make(map[int]Body)
	for i, arg := range args {
		if value, ok := arg.(Value); ok {
			b := value.Body()
			b.Text = clean(truncate(b.Text, MaxInput))
			texts[i], values[i] = b.Text, b
		}
	}
	parts := splitFormat(format, texts)
	filled := &slots{key: newKey(parts)}
	var body Body
	var source strings.Builder
	budget := MaxInput
	for _, part := range parts {
		if part.literal {
			source.WriteString(clean(part.text))
			continue
		}
		source.WriteString(filled.placeholder(len(filled.args)))
		s := slot{text: clean(truncate(part.text, budget))}
		if b, ok := values[part.arg]; ok && part.verb != 0 {
			body.Mentions.add(b.Mentions)
			if part.verb == 's' || part.verb == 'v' {
				s.show(b)
			}
		}
		budget = max(0, budget-len(part.text))
		filled.args = append(filled.args, s)
	}
	var page strings.Builder
	if err := converter.Convert([]byte(source.String()), &page); err != nil {
		return Plain(fmt.Sprintf(format, texts...)) // a strings.Builder takes all that is written to it
	}
	nodes := parseHTML(page.String(), filled)
	if len(nodes) == 1 && nodes[0].tag == tagP {
		nodes = nodes[0].children
	}
	body.Text, body.HTML = nodesText(nodes), markup(nodes)
	return body
}
