package cli

import (
	"fmt"
	"strings"
	"unicode"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// style is how the parts of a line are set off from one another.
type style struct{ name, aside, reset string }

var (
	plain   = style{}
	colours = style{name: "\x1b[1;36m", aside: "\x1b[2m", reset: "\x1b[0m"}
)

// transcript turns what the bot does in a room into text. It has to see all events of the room in their order, to know
// what edits, reactions and redactions are about.
type transcript struct {
	bot    id.UserID
	style  style
	said   map[id.EventID]string // The present text of messages, and the keys of reactions
	latest id.EventID            // The last message of a user, to which replies go without saying
}

func newTranscript(bot id.UserID, s style) *transcript {
	return &transcript{bot: bot, style: s, said: make(map[id.EventID]string)}
}

// event is what there is to show of an event, without a line end; empty for what users do.
func (t *transcript) event(e *event.Event) string {
	switch e.Type {
	case event.EventMessage:
		return t.message(e)
	case event.EventReaction:
		rel := e.Content.AsReaction().RelatesTo
		t.said[e.ID] = rel.Key
		return t.line(e, fmt.Sprintf("reacts with %s to %s", clean(rel.Key), t.quote(rel.EventID)), "")
	case event.EventRedaction:
		target := e.Redacts
		if target == "" { // Since room version 11, it stands in the content.
			target = e.Content.AsRedaction().Redacts
		}
		return t.line(e, "removes "+t.quote(target), "")
	}
	return ""
}

func (t *transcript) message(e *event.Event) string {
	content := e.Content.AsMessage()
	rel := content.RelatesTo
	if replaced := rel.GetReplaceID(); replaced != "" && content.NewContent != nil {
		before := t.quote(replaced)
		t.said[replaced] = content.NewContent.Body
		return t.line(e, "changes "+before+" to", content.NewContent.Body)
	}
	t.said[e.ID] = content.Body
	if e.Sender != t.bot {
		t.latest = e.ID
		return ""
	}
	aside := ""
	if root := rel.GetThreadParent(); root != "" {
		aside = "in the thread of " + t.quote(root)
	} else if to := rel.GetReplyTo(); to != "" && to != t.latest {
		aside = "to " + t.quote(to)
	}
	return t.line(e, aside, content.Body)
}

// line is a line about what the bot did: its name, what it did where that is no plain answer, and what it said.
func (t *transcript) line(e *event.Event, aside, text string) string {
	if e.Sender != t.bot {
		return ""
	}
	var b strings.Builder
	b.WriteString(t.style.name + e.Sender.Localpart() + t.style.reset)
	if aside != "" {
		b.WriteString(" " + t.style.aside + aside + t.style.reset)
	}
	if text != "" {
		b.WriteString(": " + indent(clean(strings.TrimRight(text, "\n"))))
	}
	return b.String()
}

// indent sets all lines but the first off from what others say.
func indent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines[1:] {
		if line != "" {
			lines[i+1] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// maxQuote is how many characters of a message are repeated to say which one is meant.
const maxQuote = 30

// quote is the beginning of a message, in quotes.
func (t *transcript) quote(message id.EventID) string {
	text, ok := t.said[message]
	if !ok {
		return "something"
	}
	text, rest, _ := strings.Cut(text, "\n")
	runes := []rune(text)
	if len(runes) > maxQuote || rest != "" {
		text = string(runes[:min(len(runes), maxQuote)]) + "…"
	}
	return `"` + clean(text) + `"`
}

// clean removes what would not be shown but obeyed by a terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// oneLine is a name that somebody else has given, as part of a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
