package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/niobottest"
)

const weatherData = "org.example.weather"

// nio-bot 77.
func TestMissingAccountDataIsToldFromAFailure(t *testing.T) {
	hs, alice, _ := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	room := alice.NewRoom()
	get := map[string]func() (weather, error){
		"global": func() (weather, error) { return niobot.AccountData[weather](ctx, bot, weatherData) },
		"room":   func() (weather, error) { return niobot.RoomAccountData[weather](ctx, bot, room, weatherData) },
	}
	set := map[string]func(any) error{
		"global": func(content any) error { return bot.SetAccountData(ctx, weatherData, content) },
		"room":   func(content any) error { return bot.SetRoomAccountData(ctx, room, weatherData, content) },
	}
	for _, where := range []string{"global", "room"} {
		if _, err := get[where](); !errors.Is(err, niobot.ErrNotFound) || !errors.Is(err, mautrix.MNotFound) {
			t.Errorf("%s: data that was never set: %v, want ErrNotFound", where, err)
		}
		must(t, set[where](weather{Sky: "blue " + where}))
		if got, err := get[where](); err != nil || got.Sky != "blue "+where {
			t.Errorf("%s: the data reads %+v (%v)", where, got, err)
		}
		hs.Fail(niobottest.Fault{Path: "/account_data/", Method: http.MethodGet, Count: 1,
			Status: http.StatusForbidden, ErrCode: "M_FORBIDDEN"})
		if _, err := get[where](); err == nil || errors.Is(err, niobot.ErrNotFound) {
			t.Errorf("%s: a failure reads as %v", where, err)
		}
		must(t, set[where](map[string]int{"sky": 1}))
		if _, err := get[where](); err == nil || errors.Is(err, niobot.ErrNotFound) {
			t.Errorf("%s: data of another shape reads as %v", where, err)
		}
		wantErr(t, set[where](func() {}), "set account data "+weatherData, "unsupported type")
	}
	wantErr(t, bot.SetRoomAccountData(ctx, "#alias:localhost", weatherData, weather{}), "see Bot.ResolveAlias")
}

// nio-bot 77.
func TestAccountDataWaitsWhereTheServerLimitsTheRate(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		const asked = 90 * time.Second
		limit := func() *fakehs.ActiveFault {
			return h.fail(fakehs.Fault{Path: "/account_data/", Count: 1, Status: http.StatusTooManyRequests,
				RetryAfter: asked, RetryForm: fakehs.RetryInBody})
		}
		begin := time.Now()
		fault := limit()
		h.must(h.bot.SetAccountData(h.t.Context(), weatherData, weather{"grey"}))
		if took := time.Since(begin); took < asked || fault.Hits() != 1 {
			t.Errorf("setting took %s, want at least %s", took, asked)
		}
		begin = time.Now()
		limit()
		got, err := niobot.AccountData[weather](h.t.Context(), h.bot, weatherData)
		if took := time.Since(begin); err != nil || got.Sky != "grey" || took < asked {
			t.Errorf("the data reads %+v (%v) after %s", got, err, took)
		}
	})
}

func ExampleAccountData() {
	type settings struct {
		Greeting string `json:"greeting"`
	}
	const name = "org.example.greeter"
	greeting := func(ctx context.Context, b *niobot.Bot, room id.RoomID) (string, error) {
		s, err := niobot.RoomAccountData[settings](ctx, b, room, name)
		if errors.Is(err, niobot.ErrNotFound) {
			s, err = niobot.AccountData[settings](ctx, b, name) // What holds where the room has no greeting of its own.
		}
		if errors.Is(err, niobot.ErrNotFound) {
			return "Hello!", nil
		}
		return s.Greeting, err
	}
	greet := niobot.NewCommand("greet", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		text, err := greeting(ctx, c.Bot(), c.Room.ID())
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s", text)
	})
	fmt.Println(greet)
	// Output: greet
}
