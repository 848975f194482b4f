package arg

import (
	"context"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"maunium.net/go/mautrix/id"
)

// ServerName is the name of a homeserver: a host name or IP address with an optional port.
// https://spec.matrix.org/v1.16/appendices/#server-name
type ServerName string

// maxIdentifier is the length that the specification allows for user ids, room ids, aliases and event ids, in bytes.
const maxIdentifier = 255

// Resolver answers what only a server knows.
type Resolver interface {
	// ResolveAlias returns the id of the room that the alias points to. An unknown alias is reported by an error made
	// with [Reject]; other errors count as trouble with the server.
	ResolveAlias(ctx context.Context, alias id.RoomAlias) (id.RoomID, error)
}

// ResolverFunc lets a function be a [Resolver].
type ResolverFunc func(ctx context.Context, alias id.RoomAlias) (id.RoomID, error)

// ResolveAlias calls f.
func (f ResolverFunc) ResolveAlias(ctx context.Context, alias id.RoomAlias) (id.RoomID, error) {
	return f(ctx, alias)
}

var _ Resolver = (ResolverFunc)(nil)

func setUser(_ context.Context, _ env, text string, v reflect.Value) error {
	ref, err := readReference(text, KindUser)
	if err == nil {
		v.SetString(string(ref.User))
	}
	return err
}

func setAlias(_ context.Context, _ env, text string, v reflect.Value) error {
	ref, err := readReference(text, KindAlias)
	if err == nil {
		v.SetString(string(ref.Alias))
	}
	return err
}

func setRoom(ctx context.Context, e env, text string, v reflect.Value) error {
	ref, err := readReference(text, KindRoom)
	if err != nil {
		return err
	}
	if ref.Room == "" {
		if e.resolver == nil {
			return ErrNoResolver
		}
		if ref.Room, err = e.resolver.ResolveAlias(ctx, ref.Alias); err != nil {
			return err
		}
	}
	v.SetString(string(ref.Room))
	return nil
}

func setEvent(_ context.Context, _ env, text string, v reflect.Value) error {
	if strings.HasPrefix(text, "$") {
		if !validOpaque(text) {
			return rejectKind(text, KindEvent, nil)
		}
		v.SetString(text)
		return nil
	}
	ref, err := readReference(text, KindEvent)
	if err == nil {
		v.SetString(string(ref.Event))
	}
	return err
}

func setLink(_ context.Context, _ env, text string, v reflect.Value) error {
	ref, err := readReference(text, KindLink)
	if err == nil {
		*v.Addr().Interface().(*Link) = ref
	}
	return err
}

func setServer(_ context.Context, _ env, text string, v reflect.Value) error {
	if !validServer(text) {
		return rejectKind(text, KindServer, nil)
	}
	v.SetString(text)
	return nil
}

func setMedia(_ context.Context, _ env, text string, v reflect.Value) error {
	uri, err := readMedia(text)
	if err == nil {
		*v.Addr().Interface().(*id.ContentURI) = uri
	}
	return err
}

func setMediaText(_ context.Context, _ env, text string, v reflect.Value) error {
	_, err := readMedia(text)
	if err == nil {
		v.SetString(text)
	}
	return err
}

func readMedia(text string) (id.ContentURI, error) {
	rest, ok := strings.CutPrefix(text, "mxc://")
	server, file, found := strings.Cut(rest, "/")
	if !ok || !found || !validServer(server) || !id.IsValidMediaID(file) {
		return id.ContentURI{}, rejectKind(text, KindMedia, nil)
	}
	return id.ContentURI{Homeserver: server, FileID: file}, nil
}

// readReference reads an identifier or a link to one, and sees to it that it is of the kind that is wanted.
func readReference(text string, want Kind) (Link, error) {
	ref, ok := identifier(text)
	if !ok {
		var err error
		if ref, err = ParseLink(unbracket(text)); err != nil {
			return Link{}, rejectKind(text, want, err)
		}
	}
	switch want {
	case KindUser:
		ok = ref.User != ""
	case KindRoom:
		ok = (ref.Room != "" || ref.Alias != "") && ref.Event == ""
	case KindAlias:
		ok = ref.Alias != "" && ref.Event == ""
	case KindEvent:
		ok = ref.Event != ""
	default:
		ok = true
	}
	if !ok {
		return Link{}, rejectKind(text, want, nil)
	}
	return ref, nil
}

// identifier reads a user id, room id or room alias.
func identifier(text string) (Link, bool) {
	if text == "" {
		return Link{}, false
	}
	switch text[0] {
	case '@':
		return Link{User: id.UserID(text)}, validNamed(text)
	case '#':
		return Link{Alias: id.RoomAlias(text)}, validNamed(text)
	case '!':
		return Link{Room: id.RoomID(text)}, validOpaque(text)
	}
	return Link{}, false
}

// validNamed checks a sigil, a local part and a server name. Local parts are as lenient as the historical ones.
// https://spec.matrix.org/v1.16/appendices/#historical-user-ids
func validNamed(text string) bool {
	local, server, ok := strings.Cut(text[1:], ":")
	return ok && local != "" && len(text) <= maxIdentifier && clean(local) && validServer(server)
}

// validOpaque checks a room id or event id: from room version 12 and 3 on they need no server name.
func validOpaque(text string) bool {
	opaque, server, named := strings.Cut(text[1:], ":")
	return opaque != "" && len(text) <= maxIdentifier && clean(opaque) && (!named || validServer(server))
}

// clean reports whether nothing in s is white space or invisible.
func clean(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// validServer checks a server name by the grammar of the specification, without the cost of a regular expression.
func validServer(name string) bool {
	host, port := name, ""
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		host, port = name[:i], name[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || len(port) > 5 {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	if host == "" || len(name) > maxIdentifier {
		return false
	}
	for i := range len(host) {
		c := host[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}
