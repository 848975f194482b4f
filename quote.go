package niobot

import (
	"html"
	"strings"

	"github.com/niobot/niobot/render"
)

// Quote is a body that quotes a message with its sender, for use alone or as an argument of [Markdown]:
//
//	c.Reply(ctx, "%v\n\nThat was %s ago.", niobot.Quote(m), age)
//
// The quoted text is cleaned as by [HTML], and mentions nobody.
func Quote(m *Message) Body {
	said := render.Sanitize(m.FormattedBody)
	if said == "" {
		said = strings.ReplaceAll(html.EscapeString(m.Body), "\n", "<br>")
	}
	name := ""
	if m.room != nil {
		member, _ := m.room.Member(m.Sender)
		name = member.DisplayName
	}
	who := render.User(m.Sender, name)
	if who.HTML == "" {
		who.HTML = html.EscapeString(who.Text)
	}
	body := HTML("<blockquote><p>" + who.HTML + ":</p>" + said + "</blockquote>")
	body.Mentions = render.Mentions{}
	return body
}
