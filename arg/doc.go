// Package arg turns the text of a command into a typed struct.
//
// A [Plan] is made once from a struct type, and [Plan.Bind] then fills such a struct from what a user typed:
//
//	type BanArgs struct {
//		User   id.UserID     `arg:"user" help:"who to ban"`
//		For    time.Duration `arg:"--for,-f" default:"24h" help:"how long"`
//		Reason string        `arg:"reason,rest" default:"no reason"`
//	}
//
// # Fields and tags
//
// Exported fields are parameters, and their order is that of the arguments. The fields of an embedded struct count as if
// they stood in its place. Unless its tag says otherwise, a field's parameter has the field's name in lower case with
// dashes (MaxAge is max-age), has a place rather than a flag, and is required.
//
//	arg:"name"         another name
//	arg:"--name,-n"    a flag, which has no place; one of the two is enough
//	arg:"name,rest"    all text that is left, as it stands, but for white space around it
//	arg:",optional"    may be left out; so may pointers, slices with len 0, flags, and all that have a default
//	arg:"--name,required"  a flag that must be given
//	arg:"-"            no parameter
//	help:"…"           for people
//	default:"…"        the text that is converted when nothing is given; for slices, words
//	choices:"a,b,c"    the texts that are allowed, in any case; enum is the same
//	min:"…" max:"…"    limits of a number, duration or time
//	len:"2..5"         limits of the number of characters, or of a slice's values; also "3", "2.." and "..5"
//	match:"…"          a regular expression for the whole text
//
// # Types
//
//	string                   a word
//	bool                     yes, y, true, on, 1, or no, n, false, off, 0, in any case; as a flag it stands alone
//	integers and floats      within their range, without NaN and infinity
//	time.Duration            as in Go, with d and w: 1d12h; see ParseDuration
//	time.Time                2026-01-31, 2026-01-31T15:04[:05], the same with Z or +02:00 behind, 2026-01-31 15:04
//	*url.URL, url.URL        with scheme and host; a *url.URL is required like any value
//	json.RawMessage, any     a JSON value, which may hold spaces; so do maps with string keys
//	CodeBlock                code between backquotes
//	id.UserID                an id, a link, or a pill (see Input)
//	id.RoomID                an id, an alias, a link or a pill; aliases are looked up by Input.Resolver
//	id.RoomAlias             an alias, a link or a pill
//	id.EventID               an id, a link or a pill
//	Link                     a link, a pill, or the id of a user or room
//	ServerName               a host name or address, with or without a port
//	id.ContentURI(String)    an mxc:// address
//	encoding.TextUnmarshaler any type whose pointer has UnmarshalText
//	*T                       T, or nil when absent
//	[]T                      as many words as convert to T
//
// Named types over basic ones work like these; [With] adds types and replaces conversions.
//
// # Words
//
// Words are separated by white space of any kind. A word may stand in quotes, which count at its beginning only:
// "…", '…', `…`, and the typographic “…”, ”…”, „…“, „…”, ‘…’, ‚…‘, ‚…’, «…» and »…«. The closing quote has to be
// followed by white space or the end, as in "a b" c; in "a"b it is an error, since nobody can tell what was meant. The
// single quotes double as apostrophes: they close only before white space or the end, and one that never closes is
// text, so that don't, 'tis and 'don't stop' read as a person reads them. Any other quote that is not closed is an
// error. "" is an empty word, which counts.
//
// A backslash makes the quote, white space or backslash after it an ordinary character; before anything else, and
// between backquotes, it is text. [Quote] does the reverse.
//
// # Flags
//
// Flags may stand anywhere before a rest argument: --name value, --name=value, -n value and -n=value. All other
// parameters may be given that way too, with a single word for a rest argument. Names are read in any case, and the dash
// — into which phones turn -- counts as -- before a name that exists. The word -- ends the flags. A dash that no letter
// follows, as in -5 or a lone -, begins no flag.
//
// # Who gets which word
//
// Words go to parameters from left to right. A word that an optional parameter or a slice refuses goes to the next
// parameter. NewPlan refuses structs in which that would leave a choice.
package arg
