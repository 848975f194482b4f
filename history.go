package niobot

import (
	"cmp"
	"sync"

	"maunium.net/go/mautrix/id"
)

// How many of the latest runs are remembered, to be found by an edit or redaction of what started them.
const (
	maxHistory        = 1000
	maxTriggerHistory = 100 // Of one trigger
)

// history is the latest runs by the id of their command's message.
type history struct {
	most  int // Zero: maxHistory
	mu    sync.Mutex
	runs  map[id.EventID]*run
	order fifo[*run]
}

func (h *history) find(command id.EventID) *run {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[command]
}

// put makes r the latest run of its command.
func (h *history) put(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs == nil {
		h.runs = make(map[id.EventID]*run)
	}
	h.runs[r.call.Message.original()] = r
	h.order.push(r)
	for h.order.len() > cmp.Or(h.most, maxHistory) {
		oldest, _ := h.order.pop()
		if key := oldest.call.Message.original(); h.runs[key] == oldest {
			delete(h.runs, key)
		}
	}
}
