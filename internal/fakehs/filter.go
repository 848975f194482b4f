package fakehs

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"
)

// filter is what a client wants to see of a sync. event_fields and event_format are ignored.
//
// https://spec.matrix.org/v1.15/client-server-api/#filtering
type filter struct {
	raw         json.RawMessage
	Presence    filterPart `json:"presence"`
	AccountData filterPart `json:"account_data"`
	Room        struct {
		Rooms        []id.RoomID `json:"rooms"`
		NotRooms     []id.RoomID `json:"not_rooms"`
		IncludeLeave bool        `json:"include_leave"`
		Timeline     filterPart  `json:"timeline"`
		State        filterPart  `json:"state"`
		Ephemeral    filterPart  `json:"ephemeral"`
		AccountData  filterPart  `json:"account_data"`
	} `json:"room"`
}

// filterPart is an EventFilter, StateFilter or RoomEventFilter.
type filterPart struct {
	Limit            *int        `json:"limit"`
	Types            []string    `json:"types"`
	NotTypes         []string    `json:"not_types"`
	Senders          []id.UserID `json:"senders"`
	NotSenders       []id.UserID `json:"not_senders"`
	Rooms            []id.RoomID `json:"rooms"`
	NotRooms         []id.RoomID `json:"not_rooms"`
	ContainsURL      *bool       `json:"contains_url"`
	Lazy             bool        `json:"lazy_load_members"`
	RedundantMembers bool        `json:"include_redundant_members"`
}

var filterRoutes = []route{
	{method: "POST", path: "/user/{user}/filter", handle: (*call).createFilter},
	{method: "GET", path: "/user/{user}/filter/{filter}", handle: (*call).getFilter},
}

func (c *call) createFilter() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	f := &filter{raw: c.object()}
	if err := c.decode(f); err != nil {
		return nil, err
	}
	for i, old := range c.user.filters {
		if sameJSON(old.raw, f.raw) {
			return map[string]string{"filter_id": strconv.Itoa(i)}, nil
		}
	}
	c.user.filters = append(c.user.filters, f)
	return map[string]string{"filter_id": strconv.Itoa(len(c.user.filters) - 1)}, nil
}

func (u *user) filter(name string) *filter {
	n, err := strconv.Atoi(name)
	if err != nil || n < 0 || n >= len(u.filters) {
		return nil
	}
	return u.filters[n]
}

func (c *call) getFilter() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	f := c.user.filter(c.path("filter"))
	if f == nil {
		return nil, notFound("no such filter")
	}
	return f.raw, nil
}

// inlineFilter reads the filter parameter of sync, which is an id or the filter itself. The caller holds s.mu.
func (c *call) inlineFilter() (*filter, error) {
	raw := c.query("filter")
	if raw == "" {
		return &filter{}, nil
	}
	if strings.HasPrefix(raw, "{") {
		f := &filter{}
		if err := decodeQuery(raw, f); err != nil {
			return nil, err
		}
		return f, nil
	}
	f := c.user.filter(raw)
	if f == nil {
		return nil, invalidParam("no filter %q", raw)
	}
	return f, nil
}

// inlinePart reads the filter parameter of messages and context.
func (c *call) inlinePart() (filterPart, error) {
	var part filterPart
	raw := c.query("filter")
	if raw == "" {
		return part, nil
	}
	err := decodeQuery(raw, &part)
	return part, err
}

func decodeQuery(raw string, v any) error {
	if err := checkObject([]byte(raw)); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(raw), v); err != nil {
		return badJSON("filter: %v", err)
	}
	return nil
}

func (f *filter) wantsRoom(roomID id.RoomID) bool {
	return (f.Room.Rooms == nil || slices.Contains(f.Room.Rooms, roomID)) && !slices.Contains(f.Room.NotRooms, roomID)
}

func (p *filterPart) limit(otherwise, most int) int {
	if p.Limit == nil {
		return otherwise
	}
	return max(0, min(*p.Limit, most))
}

// wants reports whether an event of a room passes.
func (p *filterPart) wants(r *room, e *pdu) bool {
	if !p.wantsType(e.typ) || !p.wantsSender(e.sender) || !p.wantsRoom(r.id) {
		return false
	}
	if p.ContainsURL != nil {
		_, has := fields(e.content)["url"]
		return has == *p.ContainsURL
	}
	return true
}

func (p *filterPart) wantsRoom(roomID id.RoomID) bool {
	return (p.Rooms == nil || slices.Contains(p.Rooms, roomID)) && !slices.Contains(p.NotRooms, roomID)
}

func (p *filterPart) wantsSender(sender id.UserID) bool {
	return (p.Senders == nil || slices.Contains(p.Senders, sender)) && !slices.Contains(p.NotSenders, sender)
}

func (p *filterPart) wantsType(typ string) bool {
	fits := func(pattern string) bool { return wildcard(pattern, typ) }
	return (p.Types == nil || slices.ContainsFunc(p.Types, fits)) && !slices.ContainsFunc(p.NotTypes, fits)
}

// wildcard reports whether text fits a pattern in which * stands for any characters.
func wildcard(pattern, text string) bool {
	head, rest, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == text
	}
	if !strings.HasPrefix(text, head) {
		return false
	}
	for tail := text[len(head):]; ; tail = tail[1:] {
		if wildcard(rest, tail) {
			return true
		}
		if tail == "" {
			return false
		}
	}
}
