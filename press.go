package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// What is remembered of menus, over all rooms. Older ones are asked of the server again.
const (
	maxMenuMessages = 10000 // Messages that were reacted to, with a menu or without
	maxPresses      = 10000 // Reactions that somebody may take back
	maxQueued       = 1000  // Reactions to one message that wait until it is known
)

// Edit replaces the text of the message with the menu. Its buttons stay.
func (p Press) Edit(ctx context.Context, body Body) error {
	edit := outgoing{body: body, edits: p.MessageID}
	_, err := p.c.bot.post(ctx, p.c.Room.id, edit, []SendOption{WithField(menuField, p.field)}, p.c.run)
	return err
}

// End replaces the text of the message with the menu and takes its buttons away, for good. So does any other edit
// of it, except that the bot's reactions stay there.
func (p Press) End(ctx context.Context, body Body) error {
	b := p.c.bot
	edit := outgoing{body: body, edits: p.MessageID}
	if _, err := b.post(ctx, p.c.Room.id, edit, nil, p.c.run); err != nil {
		return err
	}
	menu := &Event{ID: p.MessageID, RoomID: p.c.Room.id}
	// The bot's own reactions were the first.
	raw, err := b.relatedTo(ctx, menu, event.RelAnnotation, event.EventReaction, mautrix.DirectionForward)
	if err != nil {
		return fmt.Errorf("find the buttons of %s: %w", p.MessageID, err)
	}
	var errs []error
	for _, raw := range raw {
		if e, ok := b.fetched(p.c.Room.id, raw); ok && e.Sender == b.UserID() && reactionKey(e) != "" {
			errs = append(errs, b.redact(ctx, p.c.run, p.c.Room.id, e.ID, ""))
		}
	}
	return errors.Join(errs...)
}

// menus are a bot's menus, and what it knows of the messages that may hold one.
type menus struct {
	mu       sync.Mutex
	all      map[string]*addedMenu
	messages bounded[menuKey, *menuMessage]
	presses  bounded[menuKey, *pressed]
}

type addedMenu struct {
	menu  *Menu
	route *route
}

// menuKey is an event by its room as well: what one room says of another's event counts for nothing.
type menuKey struct {
	room  id.RoomID
	event id.EventID
}

// menuMessage is a message that was reacted to.
type menuMessage struct {
	known   bool         // Whether it was looked at; until then reactions wait
	content *menuContent // nil where the message is no menu of the bot's
	thread  id.EventID
	waiting []*Event
}

// pressed is a reaction that a handler was told of.
type pressed struct {
	message id.EventID
	key     string
	user    id.UserID
}

// add reports false where the name is taken.
func (ms *menus) add(b *Bot, m *Menu, r *route) bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.all[m.cmd.name] != nil {
		return false
	}
	if ms.all == nil {
		ms.all = make(map[string]*addedMenu)
		ms.messages.most, ms.presses.most = maxMenuMessages, maxPresses
		b.On(event.EventMessage, b.noteMenu)
		b.On(event.EventReaction, b.hearReaction)
		b.On(event.EventRedaction, b.hearRemoval)
	}
	ms.all[m.cmd.name] = &addedMenu{m, r}
	return true
}

func (ms *menus) remove(name string, r *route) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if added := ms.all[name]; added != nil && added.route == r {
		delete(ms.all, name)
	}
}

func (ms *menus) named(name string) *addedMenu {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return ms.all[name]
}

// noteMenu takes a menu from what the bot itself says, and forgets it where an edit no longer holds it.
func (b *Bot) noteMenu(_ context.Context, e *Event) error {
	m, ok := e.message()
	if !ok || e.Sender != b.UserID() {
		return nil
	}
	content := menuIn(e)
	key := menuKey{e.RoomID, m.original()}
	b.menus.mu.Lock()
	defer b.menus.mu.Unlock()
	known, ok := b.menus.messages.find(key)
	switch {
	case ok:
		known.content, known.known = content, true
	case content != nil && m.Replaces == "":
		b.menus.messages.put(key, &menuMessage{known: true, content: content, thread: m.Thread})
	}
	return nil
}

// menuIn is the menu of a message, or the one that its edit gives to it; nil where there is none.
func menuIn(e *Event) *menuContent {
	content := e.kept.Content
	if edited := syncjson.Get(content, "m.new_content"); syncjson.IsObject(edited) {
		content = edited
	}
	raw := syncjson.Get(content, menuField)
	menu := new(menuContent)
	if !syncjson.IsObject(raw) || json.Unmarshal([]byte(raw), menu) != nil {
		return nil
	}
	return menu
}

// hearReaction starts the handler of a button. A message that is not known is asked of the server first; reactions to
// it keep their order.
func (b *Bot) hearReaction(_ context.Context, e *Event) error {
	key := menuKey{e.RoomID, reactedTo(e)}
	if !b.mayPress(e) || !validEventID(key.event) {
		return nil
	}
	if m, ok := b.cache.find(key.room, key.event); ok && m.Sender != b.UserID() {
		return nil
	}
	b.menus.mu.Lock()
	defer b.menus.mu.Unlock()
	message, ok := b.menus.messages.find(key)
	switch {
	case !ok:
		message = new(menuMessage)
		message.wait(e)
		b.menus.messages.put(key, message)
		if !b.pool.submit(nil, func(*job) { b.lookAt(key, message) }, func() { b.menus.interrupt(message) }) {
			message.interrupt()
		}
	case !message.known:
		if len(message.waiting) < maxQueued {
			message.wait(e)
		}
	default:
		b.press(message, e)
	}
	return nil
}

// wait keeps a reaction until the message is known.
func (m *menuMessage) wait(e *Event) {
	e.entry.hold()
	m.waiting = append(m.waiting, e)
}

// interrupt leaves the reactions that wait to the bot's next start.
func (m *menuMessage) interrupt() {
	for _, e := range m.waiting {
		e.entry.interrupted()
		e.entry.release()
	}
	m.waiting = nil
}

func (ms *menus) interrupt(message *menuMessage) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	message.interrupt()
}

// mayPress tells whether the event may come from somebody at a button: not from the bot itself, unless its account is
// used from another device and that was asked for.
func (b *Bot) mayPress(e *Event) bool {
	if e.Sender == b.UserID() && (!b.settings.takeOwn || e.kept.TransactionID() != "") {
		return false
	}
	return e.room != nil && e.room.Membership() == event.MembershipJoin
}

// lookAt asks the server for a message that was reacted to.
func (b *Bot) lookAt(key menuKey, message *menuMessage) {
	content, thread, err := b.fetchMenu(b.background(), key)
	b.menus.mu.Lock()
	defer b.menus.mu.Unlock()
	if err != nil && b.life.Err() != nil {
		message.interrupt()
	}
	waiting := message.waiting
	message.waiting = nil
	defer func() {
		for _, e := range waiting {
			e.entry.release()
		}
	}()
	if err != nil && !message.known {
		// The next reaction asks again.
		b.menus.messages.remove(key)
		b.log.Warn("reaction not handled", "room_id", key.room, "event_id", key.event, "err", err)
		return
	}
	if !message.known {
		message.known, message.content, message.thread = true, content, thread
	}
	for _, e := range waiting {
		b.press(message, e)
	}
}

// fetchMenu is the menu of a message on the server; none where the message is not the bot's own.
func (b *Bot) fetchMenu(ctx context.Context, key menuKey) (content *menuContent, thread id.EventID, err error) {
	e, err := b.Event(ctx, key.room, key.event)
	if errors.Is(err, ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	m, ok := e.message()
	if !ok || e.Sender != b.UserID() || m.Replaces != "" {
		return nil, "", nil
	}
	edit, err := b.latestEdit(ctx, e)
	if err != nil {
		return nil, "", err
	}
	if edit != nil {
		e = edit.Event
	}
	return menuIn(e), m.Thread, nil
}

// press starts the handler for a reaction. The menus are locked.
func (b *Bot) press(message *menuMessage, e *Event) {
	p := &pressed{message: reactedTo(e), key: reactionKey(e), user: e.Sender}
	if b.startPress(message, p, e, false) {
		b.menus.presses.put(menuKey{e.RoomID, e.ID}, p)
	}
}

// startPress starts the handler of a button that was tapped on, or is not any more: by is the event that says so. It
// reports whether there is such a menu that wants to hear of removals.
func (b *Bot) startPress(message *menuMessage, p *pressed, by *Event, removed bool) bool {
	if message.content == nil {
		return false
	}
	button, ok := message.content.find(p.key)
	added := b.menus.all[message.content.Name]
	if !ok || added == nil || removed && !added.menu.removals {
		return false
	}
	c := b.newContext(by.room, &Message{Event: by, Replaces: p.message, Thread: message.thread}, added.route)
	c.Called = added.menu.cmd.name
	c.middleware = b.router.around(added.route)
	c.press = &Press{Button: button, User: p.user, MessageID: p.message, Reaction: by.ID, Removed: removed,
		c: c, field: message.content}
	if removed {
		c.press.Reaction = by.redacts()
	}
	b.start(new(history), added.route, c, nil)
	return added.menu.removals
}

// hearRemoval tells a menu of a reaction that was taken back.
func (b *Bot) hearRemoval(_ context.Context, e *Event) error {
	key := menuKey{e.RoomID, e.redacts()}
	b.menus.mu.Lock()
	defer b.menus.mu.Unlock()
	p, ok := b.menus.presses.find(key)
	if !ok {
		return nil
	}
	b.menus.presses.remove(key)
	if message, known := b.menus.messages.find(menuKey{e.RoomID, p.message}); known && message.known && b.mayPress(e) {
		b.startPress(message, p, e, true)
	}
	return nil
}
