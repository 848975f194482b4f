package fakehs

import (
	"encoding/json"
	"strings"

	"maunium.net/go/mautrix/id"
)

// authorise checks an event against the room's current state.
//
// https://spec.matrix.org/v1.15/rooms/v11/#authorization-rules
func (s *Server) authorise(r *room, e *pdu) error {
	if e.isState("m.room.member") {
		return s.authoriseMember(r, e)
	}
	switch {
	case e.typ == "m.room.create":
		return forbidden("a room is created once")
	case r.membership(e.sender) != "join":
		return forbidden("%s not in room %s", e.sender, r.id)
	case r.power(e.sender) < r.needed(e.typ, e.key != nil):
		return forbidden("you need power level %d to send %s, and have %d",
			r.needed(e.typ, e.key != nil), e.typ, r.power(e.sender))
	case e.key != nil && strings.HasPrefix(*e.key, "@") && *e.key != e.sender.String():
		return forbidden("you can't set state for another user")
	case e.isState("m.room.power_levels"):
		return r.authorisePowerLevels(e)
	}
	return nil
}

func (s *Server) authoriseMember(r *room, e *pdu) error {
	target := id.UserID(*e.key)
	if _, _, err := target.Parse(); err != nil {
		return invalidParam("%q is not a user id", target)
	}
	was := r.membership(target)
	switch membership := stringField(e.content, "membership"); membership {
	case "join":
		return s.authoriseJoin(r, e, target, was)
	case "invite":
		return r.authoriseInvite(e, target, was)
	case "leave":
		return r.authoriseLeave(e, target, was)
	case "ban":
		return r.authoriseBan(e, target)
	case "knock":
		return r.authoriseKnock(e, target, was)
	default:
		return badJSON("unknown membership %q", membership)
	}
}

func (s *Server) authoriseJoin(r *room, e *pdu, target id.UserID, was string) error {
	switch {
	case len(r.timeline) == 1 && e.sender == r.creator && target == r.creator:
		return nil // the creator's join follows the create event
	case e.sender != target:
		return forbidden("you can't join for another user")
	case was == "ban":
		return forbidden("you are banned from this room")
	case was == "join" || was == "invite":
		return nil
	}
	switch rule := r.joinRule(); {
	case rule == "public":
		return nil
	case (rule == "restricted" || rule == "knock_restricted") && s.allowedByRoom(r, target):
		return nil
	}
	return forbidden("you are not invited to this room")
}

// allowedByRoom reports whether a restricted join rule lets the user in for being in another room.
func (s *Server) allowedByRoom(r *room, userID id.UserID) bool {
	var rules struct {
		Allow []struct {
			Type   string    `json:"type"`
			RoomID id.RoomID `json:"room_id"`
		} `json:"allow"`
	}
	e := r.current("m.room.join_rules", "")
	if e == nil || json.Unmarshal(e.content, &rules) != nil {
		return false
	}
	for _, allow := range rules.Allow {
		other := s.rooms[allow.RoomID]
		if allow.Type == "m.room_membership" && other != nil && other.membership(userID) == "join" {
			return true
		}
	}
	return false
}

func (r *room) authoriseInvite(e *pdu, target id.UserID, was string) error {
	switch {
	case r.membership(e.sender) != "join":
		return forbidden("%s not in room %s", e.sender, r.id)
	case was == "join":
		return forbidden("%s is already in the room", target)
	case was == "ban":
		return forbidden("%s is banned from the room", target)
	case r.power(e.sender) < r.inviteLevel():
		return forbidden("you need power level %d to invite, and have %d", r.inviteLevel(), r.power(e.sender))
	}
	return nil
}

func (r *room) authoriseLeave(e *pdu, target id.UserID, was string) error {
	if e.sender == target {
		if was == "join" || was == "invite" || was == "knock" {
			return nil
		}
		return forbidden("%s not in room %s", target, r.id)
	}
	own := r.power(e.sender)
	switch {
	case r.membership(e.sender) != "join":
		return forbidden("%s not in room %s", e.sender, r.id)
	case was == "ban" && own < r.banLevel():
		return forbidden("you need power level %d to unban, and have %d", r.banLevel(), own)
	case own < r.kickLevel():
		return forbidden("you need power level %d to kick, and have %d", r.kickLevel(), own)
	case r.power(target) >= own:
		return forbidden("you can't kick %s, whose power level is not below yours", target)
	}
	return nil
}

func (r *room) authoriseBan(e *pdu, target id.UserID) error {
	own := r.power(e.sender)
	switch {
	case r.membership(e.sender) != "join":
		return forbidden("%s not in room %s", e.sender, r.id)
	case own < r.banLevel():
		return forbidden("you need power level %d to ban, and have %d", r.banLevel(), own)
	case r.power(target) >= own:
		return forbidden("you can't ban %s, whose power level is not below yours", target)
	}
	return nil
}

func (r *room) authoriseKnock(e *pdu, target id.UserID, was string) error {
	rule := r.joinRule()
	switch {
	case rule != "knock" && rule != "knock_restricted":
		return forbidden("you can't knock on this room")
	case e.sender != target:
		return forbidden("you can't knock for another user")
	case was == "ban" || was == "invite" || was == "join":
		return forbidden("you can't knock while your membership is %s", was)
	}
	return nil
}
