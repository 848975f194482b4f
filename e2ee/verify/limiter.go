package verify

import (
	"time"

	"maunium.net/go/mautrix/id"
)

// Bounds of the answers to messages that open nothing.
const (
	replyWindow   = 10 * time.Minute
	maxReplies    = 8   // To a user in a window
	maxAllReplies = 128 // To all in a window
)

// limiter counts answers in a window of time.
type limiter struct {
	since time.Time
	all   int
	users map[id.UserID]int
}

func (l *limiter) allow(user id.UserID, now time.Time) bool {
	if l.users == nil || now.Sub(l.since) >= replyWindow {
		*l = limiter{since: now, users: make(map[id.UserID]int)}
	}
	if l.all >= maxAllReplies || l.users[user] >= maxReplies {
		return false
	}
	l.all++
	l.users[user]++
	return true
}
