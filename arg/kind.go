package arg

// Kind says in a word for people what sort of value a parameter takes.
type Kind string

// The kinds of the built-in types. A type with its own [Converter] or UnmarshalText has a kind of its own.
const (
	KindText     Kind = "text"
	KindInteger  Kind = "whole number"
	KindNumber   Kind = "number"
	KindBool     Kind = "yes or no"
	KindDuration Kind = "duration"
	KindTime     Kind = "time"
	KindURL      Kind = "URL"
	KindJSON     Kind = "JSON"
	KindCode     Kind = "code block"
	KindUser     Kind = "user"
	KindRoom     Kind = "room"
	KindAlias    Kind = "room alias"
	KindEvent    Kind = "event"
	KindServer   Kind = "server name"
	KindMedia    Kind = "media"
	KindLink     Kind = "Matrix link"
)

// expects is the kind with its article and an example.
func (k Kind) expects() string {
	switch k {
	case KindText:
		return "text"
	case KindBool:
		return "yes or no"
	case KindInteger:
		return "a whole number"
	case KindNumber:
		return "a number like 1.5"
	case KindDuration:
		return "a duration like 90s, 1h30m or 2d"
	case KindTime:
		return "a time like 2026-01-31 or 2026-01-31T15:04Z"
	case KindURL:
		return "a URL like https://example.org"
	case KindJSON:
		return "a JSON value"
	case KindCode:
		return "a code block between ``` and ```"
	case KindUser:
		return "a user id like @name:example.org"
	case KindRoom:
		return "a room id or alias like #room:example.org"
	case KindAlias:
		return "a room alias like #room:example.org"
	case KindEvent:
		return "an event id or a link to a message"
	case KindServer:
		return "a server name like example.org"
	case KindMedia:
		return "a media address like mxc://example.org/abc"
	case KindLink:
		return "a Matrix link like https://matrix.to/#/@name:example.org"
	default:
		return "a valid " + string(k)
	}
}
