package arg_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

type BanArgs struct {
	User   id.UserID     `arg:"user" help:"who to ban"`
	For    time.Duration `arg:"--for,-f" default:"24h" help:"how long"`
	Reason string        `arg:"reason,rest" default:"no reason"`
}

func ExamplePlan_Bind() {
	plan, err := arg.NewPlan(reflect.TypeFor[BanArgs]())
	if err != nil {
		fmt.Println(err)
		return
	}
	var args BanArgs
	err = plan.Bind(context.Background(), arg.Input{Text: "--for 1d12h @mallory:example.org spam in #general"}, &args)
	fmt.Println(args.User, args.For, args.Reason, err)
	// Output: @mallory:example.org 36h0m0s spam in #general <nil>
}

func ExampleNewPlan() {
	type RollArgs struct {
		Dice  int           `arg:"dice" min:"one"`
		Pause time.Duration `arg:"--pause" default:"5 minutes"`
	}
	_, err := arg.NewPlan(reflect.TypeFor[RollArgs]())
	fmt.Println(err)
	// Output:
	// arg: RollArgs.Dice: min "one": "one" is not a whole number
	// arg: RollArgs.Pause: default "5 minutes": "5 minutes" is not a duration like 90s, 1h30m or 2d
}

func ExamplePlan_Usage() {
	plan, _ := arg.NewPlan(reflect.TypeFor[BanArgs]())
	fmt.Println("!ban", plan.Usage())
	// Output: !ban <user> [--for 24h] [reason…]
}

func ExamplePlan_Params() {
	plan, _ := arg.NewPlan(reflect.TypeFor[BanArgs]())
	for _, p := range plan.Params() {
		fmt.Printf("%s (%s): %s\n", p.Name, p.Kind, p.Help)
	}
	// Output:
	// user (user): who to ban
	// for (duration): how long
	// reason (text):
}

func ExampleError_Pointer() {
	plan, _ := arg.NewPlan(reflect.TypeFor[BanArgs]())
	err := plan.Bind(context.Background(), arg.Input{Text: "@mallory:example.org --for 24x spam"}, new(BanArgs))
	if wrong, ok := errors.AsType[*arg.Error](err); ok {
		fmt.Println(wrong)
		fmt.Println(wrong.Pointer())
	}
	// Output:
	// for: "24x" is not a duration like 90s, 1h30m or 2d
	// @mallory:example.org --for 24x spam
	//                            ^^^
}

// A Color is one of the colours of a lamp.
type Color struct{ Red, Green, Blue uint8 }

func ExampleWith() {
	colors := map[string]Color{"red": {255, 0, 0}, "white": {255, 255, 255}}
	find := arg.ConverterFunc[Color](func(_ context.Context, text string) (Color, error) {
		color, ok := colors[strings.ToLower(text)]
		if !ok {
			return Color{}, arg.Reject("the lamp cannot shine %s", text)
		}
		return color, nil
	})
	type LampArgs struct{ Color Color }
	plan, _ := arg.NewPlan(reflect.TypeFor[LampArgs](), arg.With(find))

	var args LampArgs
	fmt.Println(plan.Bind(context.Background(), arg.Input{Text: "Red"}, &args), args.Color)
	fmt.Println(plan.Bind(context.Background(), arg.Input{Text: "mauve"}, &args))
	// Output:
	// <nil> {255 0 0}
	// color: the lamp cannot shine mauve
}

func ExampleSplit() {
	words, _ := arg.Split(`don't stop "me now"`)
	for _, w := range words {
		fmt.Println(w.Text)
	}
	// Output:
	// don't
	// stop
	// me now
}

func ExampleQuote() {
	fmt.Println(arg.Quote("plain"), arg.Quote("two words"), arg.Quote(`say "hi"`), arg.Quote(""))
	// Output: plain "two words" "say \"hi\"" ""
}

func ExampleParseLink() {
	link, err := arg.ParseLink("https://matrix.to/#/!room:example.org/%24event?via=example.org&via=matrix.org")
	fmt.Println(link.Room, link.Event, link.Via, err)
	fmt.Println(link.URI())
	// Output:
	// !room:example.org $event [example.org matrix.org] <nil>
	// matrix:roomid/room:example.org/e/event?via=example.org&via=matrix.org
}

func ExampleParseDuration() {
	fmt.Println(arg.ParseDuration("1w2d"))
	fmt.Println(arg.ParseDuration("90"))
	// Output:
	// 216h0m0s <nil>
	// 0s "90" has no unit; write s, m, h, d or w behind the number
}

func ExampleNearest() {
	name, ok := arg.Nearest("hlep", []string{"ban", "help", "kick"})
	fmt.Println(name, ok)
	// Output: help true
}

func ExampleInput() {
	type InviteArgs struct {
		User id.UserID
		Room id.RoomID
		Site *url.URL `arg:"--site"`
	}
	plan, _ := arg.NewPlan(reflect.TypeFor[InviteArgs]())
	in := arg.Input{
		Text: "Alice Smith #lobby:example.org",
		HTML: `!invite <a href="https://matrix.to/#/@alice:example.org">Alice Smith</a> #lobby:example.org`,
		Resolver: arg.ResolverFunc(func(context.Context, id.RoomAlias) (id.RoomID, error) {
			return "!lobby:example.org", nil // ask the server here
		}),
	}
	var args InviteArgs
	err := plan.Bind(context.Background(), in, &args)
	fmt.Println(args.User, args.Room, err)
	// Output: @alice:example.org !lobby:example.org <nil>
}
