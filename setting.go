package niobot

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// SetRoomName sets a room's name; an empty one removes it (spec: Client-Server API, m.room.name). The errors are those
// of [Bot.SetState].
func (b *Bot) SetRoomName(ctx context.Context, room id.RoomID, name string) error {
	return b.setSetting(ctx, room, event.StateRoomName, event.RoomNameEventContent{Name: name})
}

// SetTopic sets a room's topic, a plain text; an empty one removes it (spec: Client-Server API, m.room.topic). The
// errors are those of [Bot.SetState].
func (b *Bot) SetTopic(ctx context.Context, room id.RoomID, topic string) error {
	content := event.TopicEventContent{Topic: topic}
	if topic != "" {
		content.ExtensibleTopic = event.MakeExtensibleText(topic)
	}
	return b.setSetting(ctx, room, event.StateTopic, content)
}

// SetRoomAvatar sets a room's picture to an image of the server's media repository; an empty one removes it (spec:
// Client-Server API, m.room.avatar). The errors are those of [Bot.SetState].
func (b *Bot) SetRoomAvatar(ctx context.Context, room id.RoomID, image id.ContentURIString) error {
	if err := checkImage(image); err != nil {
		return fmt.Errorf("set avatar of %s: %w", room, err)
	}
	return b.setSetting(ctx, room, event.StateRoomAvatar, event.RoomAvatarEventContent{URL: image})
}

// checkImage accepts an mxc URI and the empty one.
func checkImage(image id.ContentURIString) error {
	if image == "" {
		return nil
	}
	if uri, err := image.Parse(); err != nil || uri.Homeserver == "" || uri.FileID == "" {
		return fmt.Errorf("%q is no mxc URI; one looks like mxc://example.org/id", image)
	}
	return nil
}

// SetJoinRule sets who may join a room (spec: Client-Server API, m.room.join_rules). For the rules restricted and
// knock_restricted, members are the rooms and spaces whose members may join; other rules have none. The errors are
// those of [Bot.SetState].
func (b *Bot) SetJoinRule(ctx context.Context, room id.RoomID, rule event.JoinRule, members ...id.RoomID) error {
	restricted := rule == event.JoinRuleRestricted || rule == event.JoinRuleKnockRestricted
	switch {
	case restricted && len(members) == 0:
		return fmt.Errorf("set join rule of %s: the rule %s needs rooms whose members may join", room, rule)
	case !restricted && len(members) > 0:
		return fmt.Errorf("set join rule of %s: the rule %q takes no rooms; restricted does", room, rule)
	}
	content := event.JoinRulesEventContent{JoinRule: rule}
	for _, member := range members {
		content.Allow = append(content.Allow, event.JoinRuleAllow{RoomID: member, Type: event.JoinRuleAllowRoomMembership})
	}
	return b.setSetting(ctx, room, event.StateJoinRules, content)
}

// SetHistoryVisibility sets who may read what was said before they joined (spec: Client-Server API, "Room history
// visibility"). It counts for what is said from then on. The errors are those of [Bot.SetState].
func (b *Bot) SetHistoryVisibility(ctx context.Context, room id.RoomID, v event.HistoryVisibility) error {
	return b.setSetting(ctx, room, event.StateHistoryVisibility, event.HistoryVisibilityEventContent{HistoryVisibility: v})
}
