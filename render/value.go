package render

import (
	"strings"

	"maunium.net/go/mautrix/id"
)

// Value is something that knows how it looks in a message. An argument of [Markdown] that implements it, and is
// printed with %s or %v, may bring markup and mentions; every other argument is text.
//
// Body is called once per call of Markdown. Its HTML is cleaned as by [Sanitize]. Where markup has no place, as in
// code or in an attribute, Text stands for it. Blocks such as a table stand in a paragraph of their own.
type Value interface {
	Body() Body
}

// Code returns text as a code span.
func Code(text string) Body {
	text = clean(text)
	return Body{Text: text, HTML: writeHTML([]*node{element(tagCode, textLines(text)...)})}
}

// Link returns a link to url that reads text, or url itself if text is empty. Only absolute URLs with one of the spec's
// schemes (https, http, ftp, mailto, magnet) become links; any other stays text behind the link's.
func Link(text, url string) Body {
	text, url = clean(text), clean(url)
	if text == "" {
		text = url
	}
	var nodes []*node
	if href, ok := allowedURL(url, linkSchemes); ok {
		a := element(tagA, textLines(text)...)
		a.attrs = []attr{{"href", href}}
		nodes = []*node{a}
	} else if nodes = textLines(text); url != text {
		nodes = append(nodes, &node{kind: literalNode, text: " (" + url + ")"})
	}
	return Body{Text: nodesText(nodes), HTML: markup(nodes)}
}

// User returns a pill for a user and mentions them. The name is the display name that the pill shows; if it is empty,
// the user's id stands there. An id that is not a user id is text, and mentions nobody.
func User(user id.UserID, name string) Body {
	if _, _, err := user.Parse(); err != nil || clean(string(user)) != string(user) {
		return pill("", name, string(user))
	}
	b := pill(user.URI().MatrixToURL(), name, string(user))
	b.Mentions.Users = []id.UserID{user}
	return b
}

// Room returns a pill for the room with the given id, and mentions nobody. Via names servers that can help to join. If
// name is empty, the id stands there.
func Room(room id.RoomID, name string, via ...string) Body {
	if !strings.HasPrefix(string(room), "!") {
		return pill("", name, string(room))
	}
	return pill(room.URI(via...).MatrixToURL(), name, string(room))
}

// RoomAlias returns a pill for the room with the given alias, and mentions nobody.
func RoomAlias(alias id.RoomAlias) Body {
	if !strings.HasPrefix(string(alias), "#") {
		return pill("", "", string(alias))
	}
	return pill(alias.URI().MatrixToURL(), "", string(alias))
}

// AtRoom returns "@room" and mentions everybody in the room.
func AtRoom() Body {
	return Body{Text: "@room", Mentions: Mentions{Room: true}}
}

// pill returns a link to url that reads name. Names are written on one line: pills have no second one.
func pill(url, name, fallback string) Body {
	text := strings.Join(strings.Fields(clean(name)), " ")
	if text == "" {
		text = strings.Join(strings.Fields(clean(fallback)), " ")
	}
	b := Body{Text: text}
	if href, ok := allowedURL(url, linkSchemes); ok {
		a := element(tagA, &node{kind: literalNode, text: text})
		a.attrs = []attr{{"href", href}}
		b.HTML = writeHTML([]*node{a})
	}
	return b
}
