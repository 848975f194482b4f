package niobot

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// menuField is the content field in which a message of the bot keeps what its buttons mean.
const menuField = "org.niobot.menu"

// Menu is what the buttons of messages do: a name and a handler. The buttons are reactions, and what they mean is kept
// in the message itself, under the menu's name: a menu that is added again under that name when the bot has restarted
// goes on.
//
//	vote := niobot.NewMenu("vote", func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
//		return c.Reply(ctx, "%s votes for %s.", c.Sender(), p.Data)
//	})
//	bot.AddMenu(vote)
//	…
//	_, err := c.Offer(ctx, vote, niobot.Plain("Lunch?"),
//		niobot.Button{Key: "🍕", Data: "pizza"}, niobot.Button{Key: "🥗", Data: "salad"})
type Menu struct {
	cmd      *Command
	removals bool
}

// Button is a reaction to tap on.
type Button struct {
	Key  string `json:"key"`            // The reaction, such as "👍"
	Data string `json:"data,omitempty"` // What the handler is told; everybody in the room can read it
}

// Press is one tap on a button, as a menu's handler gets it.
type Press struct {
	Button
	User      id.UserID  // Who tapped
	MessageID id.EventID // The message with the menu
	Reaction  id.EventID // The reaction; [Bot.Redact] makes the button free to be tapped again
	Removed   bool       // Whether it was taken back; see [Menu.WithRemovals]

	c     *Context
	field *menuContent
}

// NewMenu makes a menu. Its handler runs as that of a command does that the one who tapped has called: with checks,
// middleware, limits and error handlers, those of the options and those of the bot. Replies go to the message with the
// menu. [Context.Message] has no text. It panics as [NewCommand] does.
func NewMenu(name string, handler func(ctx context.Context, c *Context, p Press) error, opts ...CommandOption) *Menu {
	cmd := &Command{name: name}
	cmd.apply(opts)
	if handler == nil {
		cmd.wrong("the handler is nil")
	}
	plan, err := arg.NewPlan(reflect.TypeFor[NoArgs]())
	if err != nil {
		cmd.wrong("%w", err)
	}
	cmd.plan = plan
	cmd.invoke = func(ctx context.Context, c *Context) error {
		h := Handler(func(ctx context.Context, c *Context) error { return handler(ctx, c, *c.press) })
		return chain(c.middleware, h)(ctx, c)
	}
	cmd.finish()
	return &Menu{cmd: cmd}
}

// WithRemovals is the menu with a handler that is called as well when somebody takes a reaction back, or another
// redacts it, with [Press.Removed] set. It hears of reactions only that were put there while the bot was running: what
// a redacted reaction said, no server tells.
func (m *Menu) WithRemovals() *Menu { return &Menu{cmd: m.cmd, removals: true} }

// Name is the menu's name.
func (m *Menu) Name() string { return m.cmd.name }

// AddMenu adds a menu, whose buttons work from then on, also those of messages that were sent before the bot started.
// The returned function removes it. It panics where the name is taken.
func (b *Bot) AddMenu(m *Menu) (remove func()) { return b.addMenu(nil, m) }

func (b *Bot) addMenu(module *mounted, m *Menu) (remove func()) {
	if m == nil {
		panic("niobot: AddMenu: the menu is nil")
	}
	r := b.router.newRoute(m.cmd, nil, module)
	if !b.menus.add(b, m, r) {
		panic(fmt.Sprintf("niobot: AddMenu: the name %q is taken by another menu", m.cmd.name))
	}
	return func() { b.menus.remove(m.cmd.name, r) }
}

// Offer answers the command with a body and buttons, as [Context.Respond] does; see [Bot.Offer].
func (c *Context) Offer(ctx context.Context, menu *Menu, body Body, buttons ...Button) (*Sent, error) {
	field, err := c.bot.menuFor(menu, buttons)
	if err != nil {
		return nil, err
	}
	sent, err := c.Respond(ctx, body, WithField(menuField, field))
	if err != nil {
		return nil, err
	}
	return sent, c.bot.putButtons(ctx, sent, field, c.run)
}

// Offer sends a body with buttons into a room. The menu must have been added to the bot. Where the message was sent but
// not all reactions could be put on it, both results are set: users can still react by themselves.
func (b *Bot) Offer(ctx context.Context, room id.RoomID, menu *Menu, body Body, buttons ...Button) (*Sent, error) {
	field, err := b.menuFor(menu, buttons)
	if err != nil {
		return nil, err
	}
	sent, err := b.Send(ctx, room, body, WithField(menuField, field))
	if err != nil {
		return nil, err
	}
	return sent, b.putButtons(ctx, sent, field, nil)
}

// menuContent is the content field of a menu.
type menuContent struct {
	Name    string   `json:"name"`
	Buttons []Button `json:"buttons"`
}

// find is the button with that reaction.
func (m *menuContent) find(key string) (Button, bool) {
	i := slices.IndexFunc(m.Buttons, func(b Button) bool { return plainKey(b.Key) == plainKey(key) })
	if i < 0 {
		return Button{}, false
	}
	return m.Buttons[i], true
}

func (b *Bot) menuFor(menu *Menu, buttons []Button) (*menuContent, error) {
	if menu == nil || b.menus.named(menu.cmd.name) == nil {
		return nil, errors.New("offer a menu: it was not added to the bot; see Bot.AddMenu")
	}
	field := &menuContent{Name: menu.cmd.name}
	for _, button := range buttons {
		if plainKey(button.Key) == "" {
			return nil, fmt.Errorf("offer menu %s: a button has no reaction", field.Name)
		}
		if _, twice := field.find(button.Key); twice {
			return nil, fmt.Errorf("offer menu %s: two buttons have the reaction %s", field.Name, button.Key)
		}
		field.Buttons = append(field.Buttons, button)
	}
	if len(field.Buttons) == 0 {
		return nil, fmt.Errorf("offer menu %s: it has no buttons", field.Name)
	}
	return field, nil
}

func (b *Bot) putButtons(ctx context.Context, on *Sent, field *menuContent, r *run) error {
	for _, button := range field.Buttons {
		if _, err := b.react(ctx, on.RoomID, on.ID, button.Key, r); err != nil {
			return fmt.Errorf("put button %s: %w", button.Key, err)
		}
	}
	return nil
}
