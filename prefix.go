package niobot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"
)

// cutCommandPrefix takes the longest prefix that the text begins with off it. ok is false where a prefix is needed and
// there is none.
func (b *Bot) cutCommandPrefix(r *Room, m *Message, text string) (prefix, rest string, ok bool) {
	rest = text
	longer := func(candidate string) {
		if !ok || len(candidate) < len(rest) {
			rest, ok = candidate, true
		}
	}
	s := b.settings
	for _, p := range b.config.Prefixes {
		if after, found := cutPrefix(text, p, s.exactCase); found {
			longer(after)
		}
	}
	if s.prefixFunc != nil {
		for _, p := range s.prefixFunc(r, m.Sender) {
			if after, found := cutPrefix(text, p, s.exactCase); found && p != "" {
				longer(after)
			}
		}
	}
	if s.prefixRegexp != nil {
		if at := s.prefixRegexp.FindStringIndex(text); at != nil && at[0] == 0 {
			longer(text[at[1]:])
		}
	}
	if s.mention {
		if after, found := b.cutMention(r, m, text); found {
			longer(after)
		}
	}
	if !ok && s.bareDirect && r.Direct() {
		ok = true
	}
	return text[:len(text)-len(rest)], rest, ok
}

// cutMention takes a mention of the bot off the text: its user id, or a name of it where the message mentions the bot
// in a way that its text alone does not show.
func (b *Bot) cutMention(r *Room, m *Message, text string) (rest string, ok bool) {
	own := b.UserID()
	if rest, ok := cutName(text, string(own)); ok {
		return rest, true
	}
	if !m.Mentions(own) && !startsWithPill(m.FormattedBody, own) {
		return "", false
	}
	member, _ := r.Member(own)
	localpart, _, _ := strings.Cut(strings.TrimPrefix(string(own), "@"), ":")
	for _, name := range []string{member.DisplayName, "@" + localpart, localpart} {
		if rest, ok := cutName(text, name); ok {
			return rest, true
		}
	}
	return "", false
}

// cutName takes a name that ends with a word off the text, and the ":" or "," that may follow it.
func cutName(text, name string) (rest string, ok bool) {
	if name == "" {
		return "", false
	}
	rest, ok = cutPrefix(strings.TrimPrefix(text, "@"), strings.TrimPrefix(name, "@"), false)
	if !ok {
		return "", false
	}
	if next, size := utf8.DecodeRuneInString(rest); next == ':' || next == ',' {
		rest = rest[size:]
	} else if unicode.IsLetter(next) || unicode.IsDigit(next) {
		return "", false
	}
	return rest, true
}

// startsWithPill tells whether the HTML begins with a link to the user, which clients show as a pill.
func startsWithPill(html string, user id.UserID) bool {
	const link = `<a href="https://matrix.to/#/`
	rest, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(html), "<p>"), link)
	if !ok {
		return false
	}
	target, _, _ := strings.Cut(rest, `"`)
	target = strings.ReplaceAll(strings.ReplaceAll(target, "%40", "@"), "%3A", ":")
	return target == string(user)
}
