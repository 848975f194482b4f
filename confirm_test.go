package niobot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func ExampleContext_Confirm() {
	type banArgs struct {
		User id.UserID `arg:"user"`
	}
	ban := niobot.NewCommand("ban", func(ctx context.Context, c *niobot.Context, a banArgs) error {
		sure, err := c.Confirm(ctx, niobot.Markdown("Ban %s?", a.User), niobot.Within(time.Minute))
		if err != nil || !sure {
			return err
		}
		return c.Reply(ctx, "**Done.**")
	})
	fmt.Println(ban, ban.Usage())
	// Output: ban <user>
}

func ExampleContext_Choose() {
	order := niobot.NewCommand("order", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		sizes := []string{"small", "large"}
		i, err := c.Choose(ctx, niobot.Plain("Which size?"), sizes)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "One %s, coming up.", sizes[i])
	})
	fmt.Println(order)
	// Output: order
}

func confirming(opts ...niobot.AskOption) *niobot.Command {
	return asker("sure", func(ctx context.Context, c *niobot.Context) (string, error) {
		ok, err := c.Confirm(ctx, niobot.Plain("sure?"), opts...)
		return fmt.Sprint(ok), err
	})
}

func TestConfirmTakesReactionsAndWords(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(h *house, question id.EventID)
		want   string
	}{
		"thumbs up":          {func(h *house, q id.EventID) { h.alice.react(q, "👍️") }, "true"},
		"dark thumbs down":   {func(h *house, q id.EventID) { h.alice.react(q, "👎🏿") }, "false"},
		"yes":                {func(h *house, _ id.EventID) { h.alice.say("Yes!") }, "true"},
		"no":                 {func(h *house, _ id.EventID) { h.alice.say(" no. ") }, "false"},
		"emoji as text":      {func(h *house, _ id.EventID) { h.alice.say("👍🏻") }, "true"},
		"other words before": {func(h *house, _ id.EventID) { h.alice.say("let me think"); h.alice.say("y") }, "true"},
		"other reactions before": {func(h *house, q id.EventID) {
			h.alice.react(q, "🎉")
			h.alice.react(h.alice.say("something else"), "👍")
			h.alice.react(q, "👎")
		}, "false"},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{commands: []*niobot.Command{confirming()}}, func(h *house) {
				h.alice.say("!sure")
				question := h.last().ID
				h.wantTaps(question, "👍", "👎")
				test.answer(h, question)
				h.wantSaid("sure?", test.want)
				h.wantTaps(question)
			})
		})
	}
}

func TestConfirmHeedsOnlyTheInvoker(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{confirming()}}, func(h *house) {
		bob := h.joins("bob")
		h.alice.say("!sure")
		question := h.last().ID
		h.settle()
		bob.react(question, "👍")
		bob.say("yes")
		h.wantSaid("sure?")
		h.alice.react(question, "👎")
		h.wantSaid("sure?", "false")
	})
}

func TestConfirmTakesAnAnswerBeforeAllReactionsArePlaced(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{confirming()}}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/m.reaction/", Skip: 1, Latency: 20 * time.Second})
		h.alice.say("!sure")
		h.settle()
		h.alice.say("yes")
		h.pass(3 * time.Minute)
		h.wantSaid("sure?", "true")
		h.wantTaps(h.hs.Messages(h.room, h.botID)[0].ID)
	})
}

func TestConfirmWorksWithoutReactions(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{confirming()}}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/m.reaction/", Status: 403, ErrCode: "M_FORBIDDEN"})
		h.alice.say("!sure")
		h.settle()
		h.alice.say("yes")
		h.wantSaid("sure?", "true")
		if lines := h.logs.with("question has no reactions"); len(lines) != 1 {
			t.Errorf("logged %d times", len(lines))
		}
	})
}

func TestEditedCommandAsksAgainInPlace(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{confirming()}}, func(h *house) {
		command := h.alice.say("!sure")
		question := h.last().ID
		h.settle()
		h.alice.edit(command, "!SURE")
		h.wantTaps(question, "👍", "👎")
		h.alice.react(question, "👍")
		h.wantSaid("sure?", "edit of 0: sure?", "true")
		h.wantTaps(question)
	})
}

// choosing offers so many options.
func choosing(n int) *niobot.Command {
	var options []string
	for i := range n {
		options = append(options, fmt.Sprintf("option %c", 'A'+i))
	}
	return asker("choose", func(ctx context.Context, c *niobot.Context) (string, error) {
		i, err := c.Choose(ctx, niobot.Plain("which?"), options, niobot.Tries(2))
		return fmt.Sprint("index ", i), err
	})
}

func TestChooseTakesKeycapsNumbersAndOptions(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(h *house, question id.EventID)
		want   string
	}{
		"keycap":                {func(h *house, q id.EventID) { h.alice.react(q, "2️⃣") }, "index 1"},
		"keycap without mark":   {func(h *house, q id.EventID) { h.alice.react(q, "2\u20E3") }, "index 1"},
		"ten":                   {func(h *house, q id.EventID) { h.alice.react(q, "🔟") }, "index 9"},
		"number":                {func(h *house, _ id.EventID) { h.alice.say("10") }, "index 9"},
		"text":                  {func(h *house, _ id.EventID) { h.alice.say("OPTION c") }, "index 2"},
		"something else before": {func(h *house, _ id.EventID) { h.alice.say("hm"); h.alice.say("3") }, "index 2"},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{commands: []*niobot.Command{choosing(10)}}, func(h *house) {
				h.alice.say("!choose")
				question := h.last()
				h.wantTaps(question.ID, "1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟")
				test.answer(h, question.ID)
				h.wantSaid(question.Content.AsMessage().Body, test.want)
				h.wantTaps(question.ID)
			})
		})
	}
}

func TestChooseShowsItsOptionsBelowTheQuestion(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{choosing(2), asker("many", func(ctx context.Context, c *niobot.Context) (string, error) {
		_, err := c.Choose(ctx, niobot.Plain("which?"), []string{
			"<b>a</b>", "*b*", "c", "d", "e", "f", "g", "h", "i", "j", "k"})
		return "", err
	})}}, func(h *house) {
		h.alice.say("!choose")
		h.wantSaid("which?\n\n1️⃣ option A\n2️⃣ option B")
		h.alice.say("!many")
		content := h.last().Content.AsMessage()
		const want = "which?\n\n1. <b>a</b>\n2. *b*\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h\n9. i\n10. j\n11. k"
		if content.Body != want {
			t.Errorf("got  %q\nwant %q", content.Body, want)
		}
	})
}

func TestChooseAmongManyIsByTextAlone(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{choosing(12)}}, func(h *house) {
		h.alice.say("!choose")
		question := h.last()
		h.wantTaps(question.ID)
		h.alice.say("13")
		h.settle()
		h.alice.say("12")
		h.wantSaid(question.Content.AsMessage().Body, "Answer with a number from 1 to 12. Please try again.", "index 11")
	})
}

func TestChooseRefusesOptionsThatNobodyCouldChoose(t *testing.T) {
	for name, options := range map[string][]string{
		"none": nil, "an empty one": {"a", " "}, "too many": make([]string, niobot.MaxChoices+1),
	} {
		t.Run(name, func(t *testing.T) {
			var got outcome
			inHouse(t, setting{commands: []*niobot.Command{command("choose",
				func(ctx context.Context, c *niobot.Context) error {
					_, err := c.Choose(ctx, niobot.Plain("which?"), options)
					_ = got.set(err)
					return nil
				})}}, func(h *house) {
				h.alice.say("!choose")
				h.wantSaid()
			})
			if got.err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestQuestionsSpeakTheUsersLanguage(t *testing.T) {
	german := niobot.WithTexts(func(*niobot.Context) map[niobot.Text]string {
		return map[niobot.Text]string{niobot.TextYes: "ja", niobot.TextTimeout: "Keine Antwort."}
	})
	inHouse(t, setting{opts: []niobot.Option{german}, commands: []*niobot.Command{confirming()}}, func(h *house) {
		h.alice.say("!sure")
		h.settle()
		h.alice.say("Ja!")
		h.wantSaid("sure?", "true")
		h.alice.say("!sure")
		h.pass(10 * time.Minute)
		h.wantSaid("sure?", "true", "sure?", "Keine Antwort.")
	})
}
