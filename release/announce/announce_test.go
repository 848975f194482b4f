package announce_test

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/release"
	"github.com/niobot/niobot/release/announce"
)

// house is a homeserver with a room, its maker, and the bot that announces.
type house struct {
	hs    *fakehs.Server
	url   string
	me    *mautrix.Client
	bot   id.UserID
	token string
	room  id.RoomID
}

func newHouse(t *testing.T, power int) *house {
	t.Helper()
	h := &house{hs: fakehs.New(fakehs.Options{})}
	var err error
	if h.url, err = h.hs.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.hs.Close() })
	session := func(name string) fakehs.Session {
		user, err := h.hs.Register(name, name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := h.hs.LogIn(user, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	me, bot := session("me"), session("bot")
	h.bot, h.token = bot.UserID, bot.Token
	if h.me, err = mautrix.NewClient(h.url, me.UserID, me.Token); err != nil {
		t.Fatal(err)
	}
	resp, err := h.me.CreateRoom(t.Context(), &mautrix.ReqCreateRoom{
		Preset: "public_chat", RoomAliasName: "m",
		PowerLevelOverride: &event.PowerLevelsEventContent{Users: map[id.UserID]int{me.UserID: 100, bot.UserID: power}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.room = resp.RoomID
	if err := h.hs.SetMembership(h.bot, h.room, h.bot, "join"); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) announcement() release.Announcement {
	return release.Announcement{
		Transaction: "GHSA-2c3f-4g5h-6j7m", Homeserver: h.url, Room: "#m:localhost", Title: "[URGENT] m v1.0.1",
		Text: "It *leaks*. Thanks to <b>.", Link: "https://example.org/a",
	}
}

func (h *house) matrix() announce.Matrix {
	return announce.Matrix{Token: h.token,
		Options: []niobot.Option{niobot.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))}}
}

func TestAnnounce(t *testing.T) {
	h := newHouse(t, 50)
	sent, err := h.matrix().Announce(t.Context(), h.announcement())
	if err != nil {
		t.Fatal(err)
	}
	messages := h.hs.Messages(h.room, h.bot)
	if len(messages) != 1 || string(messages[0].ID) != sent {
		t.Fatalf("%d messages; sent %s", len(messages), sent)
	}
	content := messages[0].Content.AsMessage()
	if !content.Mentions.Room || content.MsgType != event.MsgText ||
		messages[0].Content.Raw[announce.Field] != "GHSA-2c3f-4g5h-6j7m" {
		t.Errorf("content %+v", content)
	}
	if want := "It *leaks*. Thanks to <b>."; !strings.Contains(content.Body, want) ||
		strings.Contains(content.FormattedBody, "<b>") {
		t.Errorf("the text is taken for markup: %q, %q", content.Body, content.FormattedBody)
	}
}

// Lost answers, trouble, and a server that has forgotten the transaction: one announcement.
func TestAnnounceOnce(t *testing.T) {
	h := newHouse(t, 50)
	h.hs.Fail(fakehs.Fault{Method: "PUT", Path: "/send/", Count: 1, Cut: fakehs.CutAfter})
	first, err := h.matrix().Announce(t.Context(), h.announcement())
	if err != nil {
		t.Fatal(err)
	}
	h.hs.Fail(fakehs.Fault{Path: "/messages", Count: 1, Status: 429, RetryAfter: time.Millisecond,
		RetryForm: fakehs.RetryInBody})
	other := h.matrix()
	session, err := h.hs.LogIn(h.bot, "")
	if err != nil {
		t.Fatal(err)
	}
	other.Token = session.Token // Of another device, for which the transaction is new
	for _, m := range []announce.Matrix{h.matrix(), other} {
		if again, err := m.Announce(t.Context(), h.announcement()); err != nil || again != first {
			t.Errorf("again: %s, %v, want %s", again, err, first)
		}
	}
	if n := len(h.hs.Messages(h.room, h.bot)); n != 1 {
		t.Errorf("%d announcements, want 1", n)
	}
}

func TestAnnounceRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		power  int
		change func(t *testing.T, h *house, m *announce.Matrix, a *release.Announcement)
		want   string
		is     error
	}{
		{"no power for @room", 49, nil, "has power level 49 in !", nil},
		{"an encrypted room", 50, func(t *testing.T, h *house, _ *announce.Matrix, _ *release.Announcement) {
			_, err := h.me.SendStateEvent(t.Context(), h.room, event.StateEncryption, "",
				&event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
			if err != nil {
				t.Fatal(err)
			}
		}, "", niobot.ErrEncrypted},
		{"an unknown alias", 50, func(_ *testing.T, _ *house, _ *announce.Matrix, a *release.Announcement) {
			a.Room = "#x:localhost"
		}, "resolve #x:localhost", mautrix.MNotFound},
		{"a wrong token", 50, func(_ *testing.T, _ *house, m *announce.Matrix, _ *release.Announcement) {
			m.Token = "wrong"
		}, "", niobot.ErrUnknownToken},
		{"no homeserver", 50, func(_ *testing.T, _ *house, _ *announce.Matrix, a *release.Announcement) {
			a.Homeserver = ""
		}, "Config.Homeserver", nil},
		{"a room that the bot is not in", 50,
			func(t *testing.T, h *house, _ *announce.Matrix, a *release.Announcement) {
				resp, err := h.me.CreateRoom(t.Context(), &mautrix.ReqCreateRoom{Preset: "private_chat"})
				if err != nil {
					t.Fatal(err)
				}
				a.Room = resp.RoomID.String()
			}, "read !", mautrix.MForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, tt.power)
			m, a := h.matrix(), h.announcement()
			if tt.change != nil {
				tt.change(t, h, &m, &a)
			}
			_, err := m.Announce(t.Context(), a)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %s %v", err, tt.want, tt.is)
			}
			if n := len(h.hs.Messages(h.room, h.bot)); n != 0 {
				t.Errorf("%d messages were sent", n)
			}
		})
	}
}
