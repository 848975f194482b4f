package niobot

import "hash/maphash"

// seenGeneration is how many event ids a generation of [seen] holds.
const seenGeneration = 1 << 16

// seen remembers which events have come, by a hash of their ids: at least the latest 65,536, and at most twice as many.
// Its methods must not be called at once.
type seen struct {
	seed     maphash.Seed
	now, old map[uint64]struct{}
}

func newSeen() *seen {
	return &seen{seed: maphash.MakeSeed(), now: make(map[uint64]struct{})}
}

// key is what stands for the event.
func (s *seen) key(event []byte) uint64 { return maphash.Bytes(s.seed, event) }

// add notes the event and reports whether it is new.
func (s *seen) add(key uint64) (fresh bool) {
	if _, ok := s.now[key]; ok {
		return false
	}
	if _, ok := s.old[key]; ok {
		return false
	}
	if len(s.now) >= seenGeneration {
		s.old, s.now = s.now, make(map[uint64]struct{}, seenGeneration)
	}
	s.now[key] = struct{}{}
	return true
}

// forget takes back what add noted.
func (s *seen) forget(keys []uint64) {
	for _, key := range keys {
		delete(s.now, key)
		delete(s.old, key)
	}
}
