package niobottest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// ExpectReply waits for the bot's next reply to what the user said last, and ends the test if its text is not want.
// Replies are taken in the order in which the bot sent them, each once.
func (u *User) ExpectReply(want string) *Message {
	u.s.t.Helper()
	m := u.nextReply(fmt.Sprintf("a reply %q", want))
	if m.Body != want {
		u.s.fail(u.last, fmt.Sprintf("a reply %q", want), fmt.Sprintf("%q", m.Body))
	}
	return m
}

// ExpectReplyMatch is [User.ExpectReply] for a text that the regular expression matches somewhere.
func (u *User) ExpectReplyMatch(pattern string) *Message {
	u.s.t.Helper()
	want := fmt.Sprintf("a reply that matches %q", pattern)
	m := u.nextReply(want)
	if !regexp.MustCompile(pattern).MatchString(m.Body) {
		u.s.fail(u.last, want, fmt.Sprintf("%q", m.Body))
	}
	return m
}

// said ends the test where the user has said nothing that the bot could answer.
func (u *User) said() {
	u.s.t.Helper()
	if u.last == nil {
		u.s.t.Fatalf("niobottest: %s has said nothing that could be answered", u.name)
	}
}

func (u *User) nextReply(want string) *Message {
	u.s.t.Helper()
	u.said()
	return u.s.next(u.last, want, func(m *Message) bool {
		rel := relation(m.Event)
		return rel.Type != event.RelReplace && rel.GetNonFallbackReplyTo() == u.last.ID
	})
}

// ExpectMessage waits for the bot's next message in a room, reply or not, and ends the test if its text is not want.
func (s *Server) ExpectMessage(room id.RoomID, want string) *Message {
	s.t.Helper()
	m := s.next(&Message{RoomID: room}, fmt.Sprintf("a message %q", want), func(m *Message) bool {
		return relation(m.Event).Type != event.RelReplace
	})
	if m.Body != want {
		s.fail(&Message{RoomID: room}, fmt.Sprintf("a message %q", want), fmt.Sprintf("%q", m.Body))
	}
	return m
}

// ExpectEdit waits for the bot's next edit of one of its messages, and ends the test if the new text is not want.
func (s *Server) ExpectEdit(of *Message, want string) {
	s.t.Helper()
	m := s.next(of, fmt.Sprintf("an edit of %q to %q", of.Body, want), func(m *Message) bool {
		rel := relation(m.Event)
		return rel.Type == event.RelReplace && rel.EventID == of.ID
	})
	got := ""
	if content := m.Event.Content.AsMessage().NewContent; content != nil {
		got = content.Body
	}
	if got != want {
		s.fail(of, fmt.Sprintf("an edit of %q to %q", of.Body, want), fmt.Sprintf("%q", got))
	}
}

// ExpectReaction waits for a reaction of the bot to what the user said last, and ends the test if there is none with
// that key.
func (u *User) ExpectReaction(key string) {
	u.s.t.Helper()
	u.said()
	want := fmt.Sprintf("the reaction %s", key)
	u.s.nextEvent(u.last, want, func(e *event.Event) bool {
		if e.Type != event.EventReaction {
			return false
		}
		rel := e.Content.AsReaction().RelatesTo
		return rel.EventID == u.last.ID && rel.Key == key
	})
}

// ExpectRedacted waits until a message has been redacted, by anybody.
func (s *Server) ExpectRedacted(m *Message) {
	s.t.Helper()
	_, err := s.hs.WaitFor(s.deadline(), m.RoomID, func(e *event.Event) bool {
		return e.Type == event.EventRedaction && (e.Redacts == m.ID || e.Content.AsRedaction().Redacts == m.ID)
	})
	if err != nil {
		s.fail(m, fmt.Sprintf("%q to be redacted", m.Body), "nothing")
	}
}

// ExpectNothing lets the bot finish all that it has to do, and ends the test if it has sent a message or a reaction to
// the room that no expectation has taken.
func (s *Server) ExpectNothing(room id.RoomID) {
	s.t.Helper()
	s.Settle()
	for _, e := range s.timeline(room) {
		if !s.takes(e) {
			continue
		}
		got := e.Type.Type
		if e.Type == event.EventMessage {
			got = fmt.Sprintf("%q", e.Content.AsMessage().Body)
		}
		s.fail(&Message{RoomID: room}, "nothing", got)
	}
}

// takes tells whether an expectation may still take the event.
func (s *Server) takes(e *event.Event) bool {
	return e.Sender == s.botID && !s.expected[e.ID] && (e.Type == event.EventMessage || e.Type == event.EventReaction)
}

// next takes the bot's next message that match accepts.
func (s *Server) next(about *Message, want string, match func(*Message) bool) *Message {
	s.t.Helper()
	e := s.nextEvent(about, want, func(e *event.Event) bool {
		return e.Type == event.EventMessage && match(message(e))
	})
	return message(e)
}

func (s *Server) nextEvent(about *Message, want string, match func(*event.Event) bool) *event.Event {
	s.t.Helper()
	var found *event.Event
	_, err := s.hs.WaitFor(s.deadline(), about.RoomID, func(e *event.Event) bool {
		found = s.open(e)
		return s.takes(found) && match(found)
	})
	if err != nil {
		s.fail(about, want, fmt.Sprintf("nothing within %s", s.timeout))
	}
	s.expected[found.ID] = true
	return found
}

func message(e *event.Event) *Message {
	content := e.Content.AsMessage()
	return &Message{ID: e.ID, RoomID: e.RoomID, Sender: e.Sender, Body: content.Body, HTML: content.FormattedBody, Event: e}
}

func relation(e *event.Event) *event.RelatesTo {
	if rel := e.Content.AsMessage().RelatesTo; rel != nil {
		return rel
	}
	return &event.RelatesTo{}
}

// fail ends the test with what was wanted, what came, and what was said in the room.
func (s *Server) fail(about *Message, want, got string) {
	s.t.Helper()
	var b strings.Builder
	if about.Body != "" {
		fmt.Fprintf(&b, "after %s said %q:\n", s.who(about.Sender), about.Body)
	}
	fmt.Fprintf(&b, "\twant %s\n\tgot  %s\n", want, got)
	fmt.Fprintf(&b, "in the room:\n")
	for _, line := range s.transcript(about.RoomID) {
		fmt.Fprintf(&b, "\t%s\n", line)
	}
	s.t.Fatal(strings.TrimRight(b.String(), "\n"))
}

// maxTranscript is how many lines of a room a failure shows.
const maxTranscript = 20

// transcript is what was said in the room, a line for each event that people see.
func (s *Server) transcript(room id.RoomID) []string {
	var lines []string
	for _, e := range s.timeline(room) {
		who := s.who(e.Sender)
		switch e.Type {
		case event.EventMessage:
			content := e.Content.AsMessage()
			switch rel := relation(e); {
			case content.Body == "":
				lines = append(lines, who+": (redacted)")
			case rel.Type == event.RelReplace && content.NewContent != nil:
				lines = append(lines, fmt.Sprintf("%s edits: %q", who, content.NewContent.Body))
			case rel.GetNonFallbackReplyTo() != "":
				lines = append(lines, fmt.Sprintf("%s replies: %q", who, content.Body))
			default:
				lines = append(lines, fmt.Sprintf("%s: %q", who, content.Body))
			}
		case event.EventReaction:
			lines = append(lines, fmt.Sprintf("%s reacts: %s", who, e.Content.AsReaction().RelatesTo.Key))
		case event.EventRedaction:
			lines = append(lines, who+" redacts a message")
		case event.StateMember:
			lines = append(lines, fmt.Sprintf("%s: %s", s.who(id.UserID(e.GetStateKey())), e.Content.AsMember().Membership))
		}
	}
	if len(lines) > maxTranscript {
		lines = append([]string{"…"}, lines[len(lines)-maxTranscript:]...)
	}
	return lines
}

func (s *Server) who(user id.UserID) string { return user.Localpart() }

// pollInterval is how often until looks: for what the bot tells nobody, there is nothing to wait for.
const pollInterval = time.Millisecond

// until waits for something that the bot does without telling.
func (s *Server) until(what string, done func(ctx context.Context) bool) {
	s.t.Helper()
	ctx := s.deadline()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !done(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("niobottest: the bot did not %s within %s", what, s.timeout)
		}
	}
}
