package render

import (
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

type tagClass uint8

const (
	inlineTag tagClass = 1 << iota
	blockTag
	headingTag
	tablePart
	voidTag
)

// policy is the spec's list of tags (client-server API, "m.room.message msgtypes").
var policy = map[atom.Atom]tagClass{
	atom.Del: inlineTag, atom.Sup: inlineTag, atom.Sub: inlineTag, atom.B: inlineTag, atom.I: inlineTag,
	atom.U: inlineTag, atom.Strong: inlineTag, atom.Em: inlineTag, atom.S: inlineTag, atom.Code: inlineTag,
	atom.Span: inlineTag, atom.A: inlineTag,

	atom.Br: inlineTag | voidTag, atom.Img: inlineTag | voidTag, atom.Hr: blockTag | voidTag,

	atom.H1: blockTag | headingTag, atom.H2: blockTag | headingTag, atom.H3: blockTag | headingTag,
	atom.H4: blockTag | headingTag, atom.H5: blockTag | headingTag, atom.H6: blockTag | headingTag,

	atom.P: blockTag, atom.Div: blockTag, atom.Blockquote: blockTag, atom.Pre: blockTag, atom.Details: blockTag,
	atom.Summary: blockTag, atom.Ul: blockTag, atom.Ol: blockTag, atom.Li: blockTag, atom.Table: blockTag,

	atom.Caption: blockTag | tablePart, atom.Thead: blockTag | tablePart, atom.Tbody: blockTag | tablePart,
	atom.Tr: blockTag | tablePart, atom.Th: blockTag | tablePart, atom.Td: blockTag | tablePart,
}

// aliases are tags outside the list that have a namesake on it. Without them old markup would lose its meaning, and
// paragraphs of foreign pages would run together.
var aliases = map[atom.Atom]atom.Atom{
	atom.Strike: atom.S, atom.Tt: atom.Code, atom.Kbd: atom.Code, atom.Samp: atom.Code, atom.Ins: atom.U,
	atom.Font: atom.Span, atom.Tfoot: atom.Tbody, atom.Menu: atom.Ul,
	atom.Section: atom.Div, atom.Article: atom.Div, atom.Header: atom.Div, atom.Footer: atom.Div, atom.Main: atom.Div,
	atom.Nav: atom.Div, atom.Aside: atom.Div, atom.Center: atom.Div, atom.Address: atom.Div, atom.Figure: atom.Div,
	atom.Figcaption: atom.Div, atom.Dl: atom.Div, atom.Dt: atom.Div, atom.Dd: atom.Div, atom.Form: atom.Div,
}

// dropped are tags whose content is not for readers. mx-reply is the quote that clients once put before a reply.
var dropped = map[string]bool{
	"mx-reply": true, "script": true, "style": true, "title": true, "template": true, "iframe": true,
	"noembed": true, "noframes": true, "noscript": true, "textarea": true, "select": true, "object": true,
}

var (
	linkSchemes  = []string{"https", "http", "ftp", "mailto", "magnet"}
	imageSchemes = []string{"mxc"}
)

func isBlockTag(tag atom.Atom) bool { return policy[tag]&blockTag != 0 }

// allowedTag returns the tag under which name may stand in a message, and 0 if it may not.
func allowedTag(name string) atom.Atom {
	tag := atom.Lookup([]byte(name))
	if alias, ok := aliases[tag]; ok {
		return alias
	}
	if policy[tag] == 0 {
		return 0
	}
	return tag
}

// allowedAttr returns the value under which an attribute may stand on a tag, and false if it may not.
func allowedAttr(tag atom.Atom, key, value string) (string, bool) {
	switch tag {
	case atom.A:
		switch key {
		case "href":
			return allowedURL(value, linkSchemes)
		case "target":
			return value, value == "_blank"
		}
	case atom.Img:
		switch key {
		case "src":
			return allowedURL(value, imageSchemes)
		case "alt", "title":
			return value, true
		case "width", "height":
			n, err := strconv.ParseUint(value, 10, 16)
			return strconv.FormatUint(n, 10), err == nil
		}
	case atom.Ol:
		if key == "start" {
			n, err := strconv.ParseInt(value, 10, 32)
			return strconv.FormatInt(n, 10), err == nil
		}
	case atom.Code:
		if key == "class" {
			return languageClass(value)
		}
	case atom.Span:
		switch key {
		case "data-mx-color", "data-mx-bg-color":
			return value, isColor(value)
		case "data-mx-spoiler", "data-mx-maths":
			return value, true
		}
	case atom.Div:
		return value, key == "data-mx-maths"
	}
	return "", false
}

// languageClass keeps the classes that begin with "language-".
func languageClass(value string) (string, bool) {
	var classes []string
	for class := range strings.FieldsSeq(value) {
		language, ok := strings.CutPrefix(class, "language-")
		if ok && language != "" && strings.Trim(language, languageRunes) == "" {
			classes = append(classes, class)
		}
	}
	return strings.Join(classes, " "), classes != nil
}

const languageRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+#."

func isColor(value string) bool {
	digits, ok := strings.CutPrefix(value, "#")
	return ok && len(digits) == 6 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// allowedURL returns raw in a form that is safe in an attribute and in plain text, if it is absolute and has one of the
// schemes.
func allowedURL(raw string, schemes []string) (string, bool) {
	scheme, rest, ok := strings.Cut(strings.Trim(raw, " \t\n"), ":")
	if !ok || rest == "" {
		return "", false
	}
	for _, allowed := range schemes {
		if !strings.EqualFold(scheme, allowed) {
			continue
		}
		// Without the slashes these are relative to some clients and absolute to others.
		if allowed != "mailto" && allowed != "magnet" && (!strings.HasPrefix(rest, "//") || len(rest) == 2) {
			return "", false
		}
		safe := allowed + ":" + escapeURL(rest, isURLByte)
		_, err := url.Parse(safe)
		return safe, err == nil
	}
	return "", false
}
