package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// Times of the sync loop.
const (
	pollTimeout      = 30 * time.Second // How long the server holds a request open while nothing happens
	pollSlack        = 60 * time.Second // What it may take beyond that
	firstSyncTimeout = 15 * time.Minute // A first sync of a large account takes the server minutes
	loadPause        = 50 * time.Millisecond
)

// maxLoad is how many runs may wait for a place before the bot stops asking for more events.
const maxLoad = 10000

// Timeline limits of the sync filter. Of the first sync only the latest event is of use, as the end of what came
// before; later ones may bring a burst.
const (
	firstTimeline = 1
	laterTimeline = 50
)

// sync asks for events until ctx ends or the token is no longer accepted.
func (b *Bot) sync(ctx context.Context, at resumption) error {
	var (
		since   = at.since
		late    = since != ""
		decoder syncjson.Decoder
		wait    backoff
		ready   bool
		anew    bool
		refused int
		before  = &intake{bot: b}
	)
	defer before.unpin()
	for ctx.Err() == nil {
		in := &intake{bot: b, since: since, late: late, anew: anew, careful: late && at.crashes > 0}
		next, err := b.syncOnce(ctx, &decoder, before, in)
		switch {
		case err == nil:
			wait.reset()
			b.echoes.mends()
			if !ready {
				b.log.Info("ready", "rooms", len(b.Rooms()))
				close(b.ready)
				if b.keeps() {
					b.echoes.drop()
				}
			}
			since, before, late, anew, ready, refused = next, in, false, false, true, 0
		case since != "" && isRefused(err) && refused >= maxRefusals:
			// The server has lost what the token stood for, as after a restored backup.
			b.log.Error("homeserver does not know the sync token any more; what came meanwhile is not worked on", "err", err)
			since, late, anew, refused = "", false, true, 0
		case ctx.Err() != nil:
		case isFatal(err):
			return b.explain(err)
		case isStoreLost(err):
			return err
		default:
			pause, ok := retryWait(err, &wait)
			if !ok {
				pause = wait.wait()
			}
			if isRefused(err) {
				refused++
			}
			b.echoes.breaks()
			b.log.Warn("sync failed", "retry_in", pause, "err", err)
			if sleep(ctx, pause) != nil {
				return nil
			}
		}
		for b.pool.load() > maxLoad && sleep(ctx, loadPause) == nil {
		}
	}
	return nil
}

// syncOnce makes one request and takes its answer in while it arrives. What the response before has changed is stored by
// then.
func (b *Bot) syncOnce(
	ctx context.Context, decoder *syncjson.Decoder, before, in *intake,
) (next string, err error) {
	filter, err := b.filters.find(ctx, b, in.since == "")
	if err != nil {
		return "", err
	}
	query := map[string]string{"filter": filter, "timeout": "0"}
	limit := firstSyncTimeout
	if in.since != "" {
		query["since"] = in.since
		limit = pollTimeout + pollSlack
		if !in.late && !b.echoes.areBroken() {
			// A bot that is not ready yet, or was cut off, does not wait for something to happen.
			query["timeout"] = strconv.FormatInt(pollTimeout.Milliseconds(), 10)
		}
	}
	if b.settings.presence != "" {
		query["set_presence"] = string(b.settings.presence)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, resp, err := b.client.MakeFullRequestWithResp(ctx, mautrix.FullRequest{
		Method:           http.MethodGet,
		URL:              b.client.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "sync"}, query),
		DontReadResponse: true,
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if err := in.follow(ctx, before); err != nil {
		return "", err
	}
	result, err := decoder.Decode(resp.Body, in)
	if err != nil {
		in.abandon()
		before.pinned = append(before.pinned, in.pinned...)
		return "", fmt.Errorf("read sync response: %w", err)
	}
	if err := in.secrets.tell(ctx, b, result, in.since == ""); err != nil {
		in.abandon()
		before.pinned = append(before.pinned, in.pinned...)
		return "", err
	}
	return result.NextBatch, in.finish(result.NextBatch)
}

// maxRefusals is how often the server may refuse a sync token before the bot goes on without it.
const maxRefusals = 3

// isRefused tells whether the server answered that the request is wrong, and not that it may not be made.
func isRefused(err error) bool {
	var failed mautrix.HTTPError
	return errors.As(err, &failed) && failed.IsStatus(http.StatusBadRequest) &&
		failed.Request != nil && strings.HasSuffix(failed.Request.URL.Path, "/sync")
}

// maxUnsettled is how many responses may be taken in before the first of them is stored.
const maxUnsettled = 8

// follow takes over the rooms that the response before keeps in memory, so that changes which come one after the other
// are stored together. When too many have come, it waits; so it does after a first sync, without whose token a crash would
// make history of what comes next.
func (in *intake) follow(ctx context.Context, before *intake) error {
	if before.since == "" || before.stored.batch == nil || before.unsettled >= maxUnsettled || before.stored.batch.isStored() {
		return before.settle(ctx)
	}
	in.pinned, in.unsettled = before.pinned, before.unsettled+1
	before.pinned = nil
	return nil
}

// settle waits until what the response changed is stored, and lets go of the rooms that were kept in memory for that.
func (in *intake) settle(ctx context.Context) error {
	if in.stored.batch != nil {
		poke(in.bot.journal.urgent)
		if err := in.bot.journal.wait(ctx, in.stored.batch); err != nil {
			return fmt.Errorf("store what came: %w", err)
		}
	}
	in.unpin()
	return nil
}

func (in *intake) unpin() {
	for _, room := range in.pinned {
		room.unpin()
	}
	in.pinned = nil
}

// syncFilters are the ids of the filters that the bot has made (spec: Client-Server API, "Filtering").
type syncFilters struct {
	ids map[string]string // By their JSON
}

// find is the id of the filter for the next sync. What nobody listens for is left out, so that it does not even wake
// the bot. A server that does not keep filters gets the filter itself each time.
func (f *syncFilters) find(ctx context.Context, b *Bot, first bool) (string, error) {
	filter := b.syncFilter(first)
	body, err := json.Marshal(filter)
	if err != nil {
		return "", fmt.Errorf("encode filter: %w", err)
	}
	if known, ok := f.ids[string(body)]; ok {
		return known, nil
	}
	var made string
	err = retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.CreateFilter(ctx, filter)
		if err == nil && resp != nil {
			made = resp.FilterID
		}
		return err
	})
	switch {
	case err != nil && (isFatal(err) || ctx.Err() != nil):
		return "", err
	case err != nil && !errors.Is(err, mautrix.MUnrecognized):
		return "", fmt.Errorf("make filter: %w", err)
	case made == "":
		made = string(body)
	}
	if f.ids == nil {
		f.ids = make(map[string]string)
	}
	f.ids[string(body)] = made
	if all, err := json.Marshal(f.ids); err == nil && b.keeps() && made != string(body) {
		b.journal.put(Put(tableMeta, metaFilters, all))
	}
	return made, nil
}

func (b *Bot) syncFilter(first bool) *mautrix.Filter {
	limit := laterTimeline
	if first {
		limit = firstTimeline
	}
	none := &mautrix.FilterPart{NotTypes: []event.Type{{Type: "*"}}}
	filter := &mautrix.Filter{
		Room: &mautrix.RoomFilter{
			State:    &mautrix.FilterPart{LazyLoadMembers: true},
			Timeline: &mautrix.FilterPart{LazyLoadMembers: true, Limit: limit},
		},
	}
	if !b.names(event.EphemeralEventTyping.Type) && !b.names(event.EphemeralEventReceipt.Type) {
		filter.Room.Ephemeral = none
	}
	if !b.names(event.EphemeralEventPresence.Type) {
		filter.Presence = none
	}
	return filter
}

// names tells whether somebody listens or waits for events of the type by its name.
func (b *Bot) names(typ string) bool {
	return len(b.listeners.of([]byte(typ))) > 0 || b.waiters.name(typ)
}
