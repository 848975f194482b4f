package niobot

// KeepRooms sets of how many rooms a bot with a store keeps the state in memory. It is for bots that do not run yet.
func (b *Bot) KeepRooms(n int) { b.loadedRooms = n }

// LoadedRooms are the rooms whose state is in memory.
func (b *Bot) LoadedRooms() (n int) {
	for _, r := range b.rooms.list() {
		r.mu.RLock()
		if r.loaded {
			n++
		}
		r.mu.RUnlock()
	}
	return n
}
