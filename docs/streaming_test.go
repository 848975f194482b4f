package docs_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in streaming.md, piece by piece.

func answer(ask func(question string) iter.Seq2[string, error]) *niobot.Command {
	type args struct {
		Question string `arg:"question,rest"`
	}
	return niobot.NewCommand("ask", func(ctx context.Context, c *niobot.Context, a args) error {
		s := c.Stream(ctx)
		for piece, err := range ask(a.Question) {
			if err != nil {
				return err
			}
			if _, err := s.WriteString(piece); err != nil {
				return err
			}
		}
		return s.Close()
	})
}

func lunch(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	sent, err := c.Respond(ctx, niobot.Poll{Question: "Lunch?", Answers: []string{"pizza", "salad"}})
	if err != nil {
		return err
	}
	return c.Reply(ctx, "Call `!count %s` to end it.", sent.ID)
}

type countArgs struct {
	Poll id.EventID `arg:"poll"`
}

func count(ctx context.Context, c *niobot.Context, a countArgs) error {
	result, err := c.Bot().EndPoll(ctx, c.Room.ID(), a.Poll)
	if err != nil && !errors.Is(err, niobot.ErrPollEnded) {
		return err
	}
	return c.Reply(ctx, "%d have voted, most for %s.", len(result.Voters()), strings.Join(result.Winners(), " and "))
}

func meet(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	_, err := c.Respond(ctx, niobot.Location{Latitude: 52.5163, Longitude: 13.3777, Text: "Brandenburger Tor"})
	return err
}

func TestStreaming(t *testing.T) {
	bot := storedBot(t)
	bot.Add(
		answer(func(question string) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				_ = yield("You ask ", nil) && yield("**"+question+"**", nil)
			}
		}),
		niobot.NewCommand("lunch", lunch), niobot.NewCommand("count", count), niobot.NewCommand("meet", meet),
	)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!ask why")
	alice.ExpectReply("You ask why")
	alice.Say(room, "!meet")
	alice.ExpectReply("Brandenburger Tor")
	alice.Say(room, "!lunch")
	reply := alice.ExpectReplyMatch("Call !count .* to end it")
	poll := id.EventID(strings.Fields(reply.Body)[2])
	alice.Send(room, event.EventUnstablePollResponse, map[string]any{
		"m.relates_to":                     map[string]any{"rel_type": "m.reference", "event_id": poll},
		"org.matrix.msc3381.poll.response": map[string]any{"answers": []string{"2"}},
	})
	alice.Say(room, "!count "+string(poll))
	alice.ExpectReply("1 have voted, most for salad.")
}
