package niobot

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// seenGeneration is how many event ids a generation of [seen] holds.
const seenGeneration = 1 << 16

// saltSize is how many bytes the keys are salted with, so that nobody can make two events of one key.
const saltSize = 16

// seen remembers which events have come, by a hash of their ids: at least the latest 65,536, and at most twice as many.
// Its methods must not be called at once.
type seen struct {
	salt     [saltSize]byte
	now, old map[uint64]struct{}
}

func newSeen() *seen {
	s := &seen{now: make(map[uint64]struct{})}
	_, _ = rand.Read(s.salt[:]) // It never fails.
	return s
}

// key is what stands for the event.
func (s *seen) key(event []byte) uint64 {
	var buf [saltSize + 256]byte // No event id is longer than 255 bytes.
	n := copy(buf[:], s.salt[:])
	n += copy(buf[n:], event)
	sum := sha256.Sum256(buf[:n])
	return binary.BigEndian.Uint64(sum[:])
}

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
