package main

import (
	"context"
	"fmt"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// maxPages bounds how many pages of reactions are read.
const maxPages = 50

// count asks the server who has voted for what, as the reactions stand: those that were taken back are gone.
func count(ctx context.Context, bot *niobot.Bot, room id.RoomID, message id.EventID) (map[string]int, error) {
	client, err := bot.Client(ctx)
	if err != nil {
		return nil, err
	}
	voters := make(map[string]map[id.UserID]bool)
	request := mautrix.ReqGetRelations{RelationType: event.RelAnnotation, EventType: event.EventReaction, Limit: 100}
	for range maxPages {
		page, err := client.GetRelations(ctx, room, message, &request)
		if err != nil {
			return nil, fmt.Errorf("count the votes: %w", err)
		}
		for _, e := range page.Chunk {
			if e.Sender == bot.UserID() || e.Content.ParseRaw(e.Type) != nil {
				continue
			}
			key := plain(e.Content.AsReaction().RelatesTo.Key)
			if voters[key] == nil {
				voters[key] = make(map[id.UserID]bool)
			}
			voters[key][e.Sender] = true
		}
		if request.From = page.NextBatch; request.From == "" {
			break
		}
	}
	votes := make(map[string]int, len(voters))
	for key, users := range voters {
		votes[key] = len(users)
	}
	return votes, nil
}

// plain is a reaction without the sign that asks for a coloured picture, which some clients add and others don't.
func plain(key string) string { return strings.ReplaceAll(key, "\ufe0f", "") }

// result is the text of a poll that has ended.
func result(p poll, votes map[string]int) niobot.Body {
	table := render.Table{Columns: []render.Column{{Name: "Answer"}, {Name: "Votes", Align: render.AlignRight}}}
	for i, option := range p.Options {
		table.Add(option, votes[plain(keys[i])])
	}
	return niobot.Markdown("**%s**\n\n%v", p.Question, table)
}
