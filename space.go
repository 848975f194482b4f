package niobot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// SpaceChild is a room or a space in a space (spec: Client-Server API, m.space.child).
type SpaceChild struct {
	RoomID    id.RoomID
	Via       []string // Servers that know the room. [Bot.AddToSpace] takes the bot's own where there are none
	Order     string   // Its place among the children, up to 50 ASCII characters; those without one come last
	Suggested bool     // Whether clients recommend it to the space's members
}

// AddToSpace adds a room to a space, or changes how it stands there. The errors are those of [Bot.SetState].
func (b *Bot) AddToSpace(ctx context.Context, space id.RoomID, child SpaceChild) error {
	if err := b.connectFor(ctx, child.RoomID); err != nil {
		return fmt.Errorf("add to space: %w", err)
	}
	if r, ok := b.rooms.find(space); ok && r.Membership() == event.MembershipJoin && r.Type() != event.RoomTypeSpace {
		return fmt.Errorf("add to space: %s is no space", space)
	}
	if child.Order != "" && !validOrder(child.Order) {
		return fmt.Errorf("add to space: the order %q is not 1 to 50 ASCII characters", child.Order)
	}
	if len(child.Via) == 0 {
		child.Via = []string{serverOf(string(b.UserID()))}
	}
	return b.editState(ctx, space, event.StateSpaceChild, string(child.RoomID), func(content fields) (bool, error) {
		delete(content, "order")
		if child.Order != "" {
			if err := content.set("order", child.Order); err != nil {
				return false, err
			}
		}
		return true, errors.Join(content.set("via", child.Via), content.set("suggested", child.Suggested))
	})
}

// RemoveFromSpace takes a room out of a space; one that is not in it is no error. The errors are those of
// [Bot.SetState].
func (b *Bot) RemoveFromSpace(ctx context.Context, space, child id.RoomID) error {
	return b.editState(ctx, space, event.StateSpaceChild, string(child), func(content fields) (bool, error) {
		listed := len(content) > 0
		clear(content)
		return listed, nil
	})
}

// Children are the rooms and spaces in a space, by their order; those without one come last, by their ids. Of what is
// no space they are none.
func (r *Room) Children() []SpaceChild {
	r.rlock()
	defer r.mu.RUnlock()
	if r.created.roomType != event.RoomTypeSpace {
		return nil
	}
	var children []SpaceChild
	for key, content := range r.state {
		if key.typ == event.StateSpaceChild.Type {
			if child, ok := parseSpaceChild(key.key, []byte(content)); ok {
				children = append(children, child)
			}
		}
	}
	slices.SortFunc(children, compareChildren)
	return children
}

// parseSpaceChild reads the content of m.space.child; one without servers is no child any more.
func parseSpaceChild(key string, content []byte) (child SpaceChild, ok bool) {
	var all fields
	_ = json.Unmarshal(content, &all)
	child.RoomID = id.RoomID(key)
	_ = json.Unmarshal(all["via"], &child.Via)
	_ = json.Unmarshal(all["suggested"], &child.Suggested)
	if order := all.text("order"); validOrder(order) {
		child.Order = order
	}
	return child, len(child.Via) > 0 && strings.HasPrefix(key, "!")
}

// validOrder is the specification's bound; what is beyond it counts as no order.
func validOrder(order string) bool {
	const most = 50
	return order != "" && len(order) <= most && !strings.ContainsFunc(order, func(r rune) bool { return r < ' ' || r > '~' })
}

func compareChildren(a, b SpaceChild) int {
	if (a.Order == "") != (b.Order == "") {
		return cmp.Compare(b.Order, a.Order)
	}
	return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.RoomID, b.RoomID))
}

// SpaceRoom is a room or space of a space as [Bot.Hierarchy] finds it; the bot need not be in it.
type SpaceRoom struct {
	RoomID   id.RoomID
	Name     string
	Topic    string
	Alias    id.RoomAlias
	Avatar   id.ContentURIString
	Type     event.RoomType // Empty for a room to talk in, m.space for a space
	JoinRule event.JoinRule
	Members  int // Who are joined
	Children []SpaceChild
}

// Hierarchy walks through a space, the space itself first, and asks the server for one page after the other (spec:
// Client-Server API, "Querying rooms within spaces"). depth is how many levels of spaces within spaces are walked; 0:
// as many as the server does. Rooms that the bot may not know of are left out. An error ends the walk: a
// [*UnknownRoomError] where the bot may not look into the space, or the server's.
func (b *Bot) Hierarchy(ctx context.Context, space id.RoomID, depth int) iter.Seq2[SpaceRoom, error] {
	return func(yield func(SpaceRoom, error) bool) {
		if err := b.connectFor(ctx, space); err != nil {
			yield(SpaceRoom{}, fmt.Errorf("walk through space: %w", err))
			return
		}
		req := mautrix.ReqHierarchy{}
		if depth > 0 {
			req.MaxDepth = &depth
		}
		// A server that gives a page twice would be asked for ever.
		seen := make(map[string]bool)
		for !seen[req.From] {
			seen[req.From] = true
			page, err := b.hierarchyPage(ctx, space, &req)
			if err != nil {
				yield(SpaceRoom{}, fmt.Errorf("walk through space %s: %w", space, err))
				return
			}
			for _, room := range page.Rooms {
				if room != nil && !yield(newSpaceRoom(room), nil) {
					return
				}
			}
			if req.From = page.NextBatch; req.From == "" {
				return
			}
		}
	}
}

func (b *Bot) hierarchyPage(
	ctx context.Context, space id.RoomID, req *mautrix.ReqHierarchy,
) (page mautrix.RespHierarchy, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.Hierarchy(ctx, space, req)
		if err == nil && resp != nil {
			page = *resp
		}
		return err
	})
	return page, b.explainRefusal(ctx, space, err, "look into it", noPower)
}

func newSpaceRoom(chunk *mautrix.ChildRoomsChunk) SpaceRoom {
	room := SpaceRoom{
		RoomID: chunk.RoomID, Name: validText(chunk.Name), Topic: validText(chunk.Topic), Alias: chunk.CanonicalAlias,
		Avatar: chunk.AvatarURL, Type: chunk.RoomType, JoinRule: cmp.Or(chunk.JoinRule, event.JoinRulePublic),
		Members: chunk.NumJoinedMembers,
	}
	for _, e := range chunk.ChildrenState {
		if e == nil || e.Type.Type != event.StateSpaceChild.Type {
			continue
		}
		if child, ok := parseSpaceChild(e.GetStateKey(), e.Content.VeryRaw); ok {
			room.Children = append(room.Children, child)
		}
	}
	slices.SortFunc(room.Children, compareChildren)
	return room
}
