package niobot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
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

// seenRowSize is how many keys a record of tableSeen takes before the next one is begun.
const seenRowSize = 256

// seenRow is a record of tableSeen.
type seenRow struct {
	key  string
	keys []byte // Eight for each event; only of the latest row
	size int    // Of keys, in events
}

// seenRows are the records of tableSeen.
type seenRows struct {
	rows  fifo[seenRow] // But the latest
	last  seenRow
	next  uint64 // The place of the latest
	count int    // Of events in all
}

// loadSeen reads which events have come.
func (b *Bot) loadSeen(ctx context.Context, salt []byte) error {
	b.seenLock.Lock()
	defer b.seenLock.Unlock()
	if len(salt) != saltSize {
		return b.journal.write(ctx, Put(tableMeta, metaSalt, b.seen.salt[:]), DeleteAll(tableSeen, ""))
	}
	copy(b.seen.salt[:], salt)
	for record, err := range b.settings.store.Scan(ctx, tableSeen, "") {
		if err != nil {
			return fmt.Errorf("read the events that have come: %w", err)
		}
		for keys := record.Value; len(keys) >= 8; keys = keys[8:] {
			b.seen.add(binary.BigEndian.Uint64(keys))
		}
		size := len(record.Value) / 8
		b.seenRows.rows.push(seenRow{key: record.Key, size: size})
		b.seenRows.count += size
		if _, err := fmt.Sscanf(record.Key, "%16x", &b.seenRows.next); err != nil {
			return &StoreError{Store: b.settings.store.String(), Err: ErrStoreCorrupt, Cure: "restore it from a backup"}
		}
	}
	return nil
}

// remember is the changes that store which events have come.
func (b *Bot) remember(keys []uint64) []Change {
	if len(keys) == 0 || !b.keeps() {
		return nil
	}
	b.seenLock.Lock()
	defer b.seenLock.Unlock()
	return b.seenRows.add(keys)
}

func (s *seenRows) add(keys []uint64) []Change {
	if s.last.key == "" || s.last.size >= seenRowSize {
		if s.last.key != "" {
			s.rows.push(seenRow{key: s.last.key, size: s.last.size})
		}
		s.next++
		s.last = seenRow{key: fmt.Sprintf("%016x", s.next)}
	}
	for _, key := range keys {
		s.last.keys = binary.BigEndian.AppendUint64(s.last.keys, key)
	}
	s.last.size += len(keys)
	s.count += len(keys)
	// The value may still be on its way to the store when the next keys are appended behind it.
	changes := []Change{Put(tableSeen, s.last.key, s.last.keys[:len(s.last.keys):len(s.last.keys)])}
	for s.count > 2*seenGeneration {
		oldest, ok := s.rows.pop()
		if !ok {
			break
		}
		s.count -= oldest.size
		changes = append(changes, Delete(tableSeen, oldest.key))
	}
	return changes
}
