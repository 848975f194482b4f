package niobot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/testbed"
)

func ExampleContext_RepliedTo() {
	quote := niobot.NewCommand("quote", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		m, err := c.RepliedTo(ctx)
		if errors.Is(err, niobot.ErrNotFound) {
			return c.Reply(ctx, "Reply to the message that I shall quote.")
		}
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%v\n\nWell said!", niobot.Quote(m))
	})
	fmt.Println(quote)
	// Output: quote
}

// ctx is a context in which the bot finds its homeserver.
func (h *house) ctx() context.Context { return h.bed(h.t.Context()) }

// without is a bot that remembers no messages, so that it has to ask for them.
func without() []niobot.Option { return []niobot.Option{niobot.WithMessageCache(0)} }

// nio-bot 80: a message is found in its room only, with its latest text, remembered or fetched.
func TestMessageIsFoundWithItsLatestText(t *testing.T) {
	for name, opts := range map[string][]niobot.Option{"remembered": nil, "fetched": without()} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{opts: opts}, func(h *house) {
				plain, edited := h.alice.say("hello"), h.alice.say("first")
				h.alice.edit(edited, "second")
				h.alice.edit(edited, "third")
				bob := h.joins("bob")
				bob.edit(edited, "forged")
				h.settle()
				for message, want := range map[id.EventID]string{plain: "hello", edited: "third"} {
					m, err := h.bot.Message(h.ctx(), h.room, message)
					h.must(err)
					if m.Body != want || m.ID != message || m.Sender != h.alice.UserID || m.Room().ID() != h.room {
						t.Errorf("got %q of %s by %s in %s, want %q", m.Body, m.ID, m.Sender, m.Room(), want)
					}
				}
				other := h.alice.newRoom()
				if m, err := h.bot.Message(h.ctx(), other, plain); !errors.Is(err, niobot.ErrNotFound) {
					t.Errorf("in another room: %v, %v", m, err)
				}
			})
		})
	}
}

// unbundled is a server that puts nothing beside an event.
type unbundled struct{ http.RoundTripper }

func (u unbundled) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.RoundTripper.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, "/event/") {
		return resp, err
	}
	defer resp.Body.Close()
	var e map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		return nil, err
	}
	delete(e, "unsigned")
	body, err := json.Marshal(e)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, err
}

func TestEditIsFoundWhereTheServerBundlesNone(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		message, unedited := h.alice.say("first"), h.alice.say("only")
		h.alice.edit(message, "second")
		h.joins("bob").edit(message, "forged")
		h.settle()
		bot := newBot(t)
		defer bot.Close()
		ctx := testbed.Put(h.t.Context(), &testbed.Bed{
			Homeserver: "http://homeserver.invalid", Token: h.token, Transport: unbundled{h.hs.Transport()},
		})
		for message, want := range map[id.EventID]string{message: "second", unedited: "only"} {
			m, err := bot.Message(ctx, h.room, message)
			h.must(err)
			if m.Body != want {
				t.Errorf("got %q, want %q", m.Body, want)
			}
		}
	})
}

// nio-bot 80: what can't be had is an error that says why.
func TestMessageThatCannotBeHad(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		redacted := h.alice.say("secret")
		h.alice.redact(redacted)
		h.settle()
		hidden := h.alice.newRoom()
		unseen := h.alice.sayIn(hidden, "unseen")
		h.settle()
		h.must(h.bot.Leave(h.ctx(), hidden, ""))
		h.settle()
		state, err := h.alice.SendStateEvent(h.t.Context(), h.room, stateType, "", map[string]any{})
		h.must(err)
		var unknown *niobot.UnknownRoomError
		for name, test := range map[string]struct {
			room id.RoomID
			id   id.EventID
			is   func(error) bool
		}{
			"unknown":  {h.room, "$unknown", func(err error) bool { return errors.Is(err, niobot.ErrNotFound) }},
			"no id":    {h.room, "hello", func(err error) bool { return errors.Is(err, niobot.ErrNotFound) }},
			"redacted": {h.room, redacted, func(err error) bool { return errors.Is(err, niobot.ErrRedacted) }},
			"state":    {h.room, state.EventID, func(err error) bool { return errors.Is(err, niobot.ErrNotMessage) }},
			"elsewhere": {"!elsewhere:localhost", unseen, func(err error) bool {
				return errors.As(err, &unknown) || errors.Is(err, niobot.ErrNotFound)
			}},
		} {
			if m, err := h.bot.Message(h.ctx(), test.room, test.id); err == nil || !test.is(err) {
				t.Errorf("%s: got %v, %v", name, m, err)
			}
		}
	})
}

func TestEncryptedMessageSaysThatItCannotBeRead(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventEncrypted, json.RawMessage(
			`{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x","session_id":"y"}`))
		h.must(err)
		if _, err := h.bot.Message(h.ctx(), h.room, resp.EventID); !errors.Is(err, niobot.ErrEncrypted) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestRepliedToIsTheMessageThatTheCommandRepliesTo(t *testing.T) {
	cmd := asker("which", func(ctx context.Context, c *niobot.Context) (string, error) {
		m, err := c.RepliedTo(ctx)
		if errors.Is(err, niobot.ErrNotFound) {
			return "none", nil
		}
		if err != nil {
			return "", err
		}
		return m.Body, nil
	})
	for name, opts := range map[string][]niobot.Option{"remembered": nil, "fetched": without()} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{opts: opts, commands: []*niobot.Command{cmd}}, func(h *house) {
				said := h.alice.say("this")
				h.alice.say("!which")
				h.wantSaid("none")
				h.alice.replyTo(said, "!which")
				h.wantSaid("none", "this")
			})
		})
	}
}

func TestRepliedToOfAnEditedCommandIsThatOfTheOriginal(t *testing.T) {
	cmd := asker("which", func(ctx context.Context, c *niobot.Context) (string, error) {
		m, err := c.RepliedTo(ctx)
		if err != nil {
			return "", err
		}
		return m.Body, nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		said := h.alice.say("this")
		h.alice.replyTo(said, "which")
		h.settle()
		var command id.EventID
		for _, e := range h.hs.Messages(h.room, h.alice.UserID) {
			command = e.ID
		}
		h.alice.edit(command, "!which")
		h.wantSaid("this")
	})
}

// nio-bot 81: what the call has sent is known to it.
func TestSentIsWhatTheCallHasSent(t *testing.T) {
	cmd := command("work", func(ctx context.Context, c *niobot.Context) error {
		if len(c.Sent()) > 0 {
			return errors.New("something was sent already")
		}
		if err := c.Reply(ctx, "one"); err != nil {
			return err
		}
		if _, err := c.Send(ctx, niobot.Plain("two")); err != nil {
			return err
		}
		sent := c.Sent()
		if len(sent) != 2 {
			return fmt.Errorf("%d messages", len(sent))
		}
		return sent[0].Edit(ctx, niobot.Plain("first"))
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!work")
		h.wantSaid("one", "two", "edit of 0: first")
	})
}

func TestForwardCopiesTheMessageAlone(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		to := h.alice.newRoom()
		root := h.alice.say("root")
		resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(fmt.Sprintf(
			`{"msgtype":"m.text","body":"> <@x:y> old\n\n!ping @bot","format":"org.matrix.custom.html",`+
				`"formatted_body":"<mx-reply>old</mx-reply><b>!ping</b> @bot","m.mentions":{"user_ids":["@bot:localhost"],"room":true},`+
				`"org.niobot.menu":{"name":"x"},"org.matrix.msc4391.command":{},"org.example":1,`+
				`"m.relates_to":{"rel_type":"m.thread","event_id":%q,"m.in_reply_to":{"event_id":%q}}}`, root, root)))
		h.must(err)
		h.settle()
		m, err := h.bot.Message(h.ctx(), h.room, resp.EventID)
		h.must(err)
		_, err = h.bot.Forward(h.ctx(), m, to)
		h.must(err)
		h.settle()
		all := h.hs.Messages(to, h.botID)
		if len(all) != 1 {
			t.Fatalf("%d messages arrived", len(all))
		}
		var got map[string]any
		h.must(json.Unmarshal(all[0].Content.VeryRaw, &got))
		want := `map[body:!ping @bot format:org.matrix.custom.html formatted_body:<b>!ping</b> @bot ` +
			`m.mentions:map[] msgtype:m.notice org.example:1]`
		if fmt.Sprint(got) != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	})
}

func TestForwardCopiesFilesAndLatestTexts(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		to := h.alice.newRoom()
		file, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(
			`{"msgtype":"m.image","body":"a caption","filename":"cat.png","url":"mxc://localhost/cat","info":{"w":3}}`))
		h.must(err)
		secret, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(
			`{"msgtype":"m.image","body":"cat.png","file":{"url":"mxc://localhost/cat","key":{}}}`))
		h.must(err)
		text := h.alice.say("first")
		h.alice.edit(text, "second")
		h.settle()
		for _, message := range []id.EventID{file.EventID, text} {
			m, err := h.bot.Message(h.ctx(), h.room, message)
			h.must(err)
			_, err = h.bot.Forward(h.ctx(), m, to)
			h.must(err)
		}
		m, err := h.bot.Message(h.ctx(), h.room, secret.EventID)
		h.must(err)
		if _, err := h.bot.Forward(h.ctx(), m, to); err == nil {
			t.Error("the key of an encrypted file was forwarded")
		}
		all := h.hs.Messages(to, h.botID)
		if len(all) != 2 || all[1].Content.AsMessage().Body != "second" {
			t.Fatalf("got %v", h.said(to))
		}
		var got map[string]any
		h.must(json.Unmarshal(all[0].Content.VeryRaw, &got))
		want := `map[body:a caption filename:cat.png info:map[w:3] m.mentions:map[] msgtype:m.image url:mxc://localhost/cat]`
		if fmt.Sprint(got) != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	})
}

// nio-bot 72, 84: what others wrote makes no markup around the quote, and mentions nobody.
func TestQuoteIsCleanAndMentionsNobody(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(
			`{"msgtype":"m.text","body":"plain","format":"org.matrix.custom.html",`+
				`"formatted_body":"</blockquote><script>x</script><b>bold @room"}`))
		h.must(err)
		plain := h.alice.say("two\n<b>lines</b> & *stars*")
		h.settle()
		for message, want := range map[id.EventID]niobot.Body{
			resp.EventID: {
				Text: "> alice:\n>\n> bold @room",
				HTML: `<blockquote><p><a href="https://matrix.to/#/@alice:localhost">alice</a>:</p><b>bold @room</b></blockquote>`,
			},
			plain: {
				Text: "> alice:\n>\n> two\n> <b>lines</b> & *stars*",
				HTML: `<blockquote><p><a href="https://matrix.to/#/@alice:localhost">alice</a>:</p>` +
					`two<br>&lt;b&gt;lines&lt;/b&gt; &amp; *stars*</blockquote>`,
			},
		} {
			m, err := h.bot.Message(h.ctx(), h.room, message)
			h.must(err)
			if got := niobot.Quote(m); got.Text != want.Text || got.HTML != want.HTML ||
				got.Mentions.Room || len(got.Mentions.Users) > 0 {
				t.Errorf("got  %q\n     %q\n     %+v\nwant %q\n     %q", got.Text, got.HTML, got.Mentions, want.Text, want.HTML)
			}
		}
	})
}

// paragraphs is a text of about so many bytes.
func paragraphs(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "paragraph %d %s\n\n", i, strings.Repeat("x", 980))
	}
	return b.String()
}
