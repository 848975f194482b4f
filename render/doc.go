// Package render turns values into the bodies of Matrix messages: plain text and HTML together.
//
// A [Body] holds both forms and the mentions that were asked for. [Plain], [Markdown], [HTML], [RawHTML] and [Table]
// make one; [Split] cuts one that is too long for a single event.
//
// In [Markdown] the format is markdown and the arguments are text. An argument is escaped for the place where it
// stands, as html/template does, so echoed input never becomes markup, a link, a pill or a ping. What is meant to be
// more than text is passed as a [Value]: [Code], [Link], [User], [Room], [AtRoom], any other Body, or a type of your own.
//
//	render.Markdown("**%s** was kicked by %v: %s", name, render.User(moderator, ""), reason)
//
// HTML is held to the list of tags, attributes and URL schemes in the Matrix client-server API, section "m.room.message
// msgtypes". Nothing in this package touches the network, and all of it but [Table.Add] is safe for concurrent use.
package render
