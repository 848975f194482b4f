package arg

import (
	"net/url"
	"strings"

	"maunium.net/go/mautrix/id"
)

// Link is what a matrix.to link or a matrix: URI points to. Exactly one of User, Room and Alias is set; Event is set
// only beside Room or Alias.
type Link struct {
	User  id.UserID
	Room  id.RoomID
	Alias id.RoomAlias
	Event id.EventID
	Via   []string // servers through which the room can be joined; names that are no server names are left out
}

// ParseLink reads a matrix.to link or a matrix: URI. Percent-encoding is undone part by part, so that an encoded slash
// or question mark stays in the identifier it belongs to. The error is one that [Reject] might have made.
//
// See https://spec.matrix.org/v1.16/appendices/#uris.
func ParseLink(text string) (Link, error) {
	if len(text) <= MaxInput {
		if rest, ok := cutPrefixFold(text, "matrix:"); ok {
			return parseURI(text, rest)
		}
		if rest, ok := cutMatrixTo(text); ok {
			return parseMatrixTo(text, rest)
		}
	}
	return Link{}, rejectKind(text, KindLink, nil)
}

// String returns the link as a matrix.to URL, or "" where it is empty.
func (l Link) String() string {
	first := string(l.User) + string(l.Room) + string(l.Alias)
	if first == "" {
		return ""
	}
	link := "https://matrix.to/#/" + url.PathEscape(first)
	if l.Event != "" {
		link += "/" + url.PathEscape(string(l.Event))
	}
	return link + l.query()
}

// URI returns the link as a matrix: URI, or "" where it is empty.
func (l Link) URI() string {
	var uri string
	switch {
	case l.User != "":
		uri = "matrix:u/" + url.PathEscape(string(l.User[1:]))
	case l.Room != "":
		uri = "matrix:roomid/" + url.PathEscape(string(l.Room[1:]))
	case l.Alias != "":
		uri = "matrix:r/" + url.PathEscape(string(l.Alias[1:]))
	default:
		return ""
	}
	if l.Event != "" {
		uri += "/e/" + url.PathEscape(string(l.Event[1:]))
	}
	return uri + l.query()
}

func (l Link) query() string {
	if len(l.Via) == 0 {
		return ""
	}
	return "?" + url.Values{"via": l.Via}.Encode()
}

// cutMatrixTo returns what stands behind "#/" in a matrix.to link. The host is compared as a whole: mautrix takes any
// host that ends in "matrix.to", which lets a stranger's domain pass.
func cutMatrixTo(text string) (rest string, ok bool) {
	if after, found := cutPrefixFold(text, "https://"); found {
		text = after
	} else if after, found := cutPrefixFold(text, "http://"); found {
		text = after
	}
	if after, found := cutPrefixFold(text, "www."); found {
		text = after
	}
	if text, ok = cutPrefixFold(text, "matrix.to"); !ok {
		return "", false
	}
	return strings.CutPrefix(strings.TrimPrefix(text, "/"), "#/")
}

// parseMatrixTo reads "@user:hs", "!room:hs/$event?via=a" and the like. An event is told by "/$", so that a slash in a
// name that a client forgot to encode does no harm.
func parseMatrixTo(text, rest string) (Link, error) {
	path, query, _ := strings.Cut(rest, "?")
	first, event, hasEvent := strings.Cut(path, "/$")
	if !hasEvent {
		first, event, hasEvent = strings.Cut(path, "/%24")
	}
	if !hasEvent {
		first = strings.TrimSuffix(first, "/")
	}
	return assemble(text, "", first, event, hasEvent, query)
}

// parseURI reads the path of a matrix: URI: "u/name:hs", "roomid/id:hs/e/event?via=a" and the like.
func parseURI(text, rest string) (Link, error) {
	rest, _, _ = strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	if after, ok := strings.CutPrefix(path, "//"); ok {
		_, path, _ = strings.Cut(after, "/") // the authority part has no meaning yet
	}
	parts := strings.Split(path, "/")
	sigil := ""
	switch parts[0] {
	case "u", "user":
		sigil = "@"
	case "r", "room":
		sigil = "#"
	case "roomid":
		sigil = "!"
	}
	hasEvent := len(parts) == 4 && (parts[2] == "e" || parts[2] == "event")
	if sigil == "" || !hasEvent && len(parts) != 2 {
		return Link{}, rejectKind(text, KindLink, nil)
	}
	event := ""
	if hasEvent {
		event = parts[3]
	}
	return assemble(text, sigil, parts[1], event, hasEvent, query)
}

// assemble decodes the parts of a link and checks that they make sense together.
func assemble(text, sigil, first, event string, hasEvent bool, query string) (Link, error) {
	first, err := url.PathUnescape(first)
	if err != nil {
		return Link{}, rejectKind(text, KindLink, err)
	}
	link, ok := identifier(sigil + first)
	if hasEvent {
		if event, err = url.PathUnescape(event); err != nil {
			return Link{}, rejectKind(text, KindLink, err)
		}
		link.Event = id.EventID("$" + event)
		ok = ok && link.User == "" && validOpaque("$"+event)
	}
	if !ok {
		return Link{}, rejectKind(text, KindLink, nil)
	}
	if values, err := url.ParseQuery(query); err == nil {
		for _, server := range values["via"] {
			if validServer(server) {
				link.Via = append(link.Via, server)
			}
		}
	}
	return link, nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
