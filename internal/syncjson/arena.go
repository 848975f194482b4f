package syncjson

import "unicode/utf8"

// arena holds the JSON of the events of one room. What it has given out never moves, unlike a slice that grows.
type arena struct {
	chunks [][]byte // full ones first, each with the bytes given out as its length
	at     int      // the chunk in use
}

const chunkBytes = 64 << 10

// copy returns a copy of b that is valid UTF-8 and lives until reset.
func (a *arena) copy(b []byte) []byte {
	if !utf8.Valid(b) {
		return appendValid(nil, b)
	}
	c := a.room(len(b))
	start := len(*c)
	*c = append(*c, b...)
	return (*c)[start:len(*c):len(*c)]
}

// room returns a chunk with room for n bytes.
func (a *arena) room(n int) *[]byte {
	for ; a.at < len(a.chunks); a.at++ {
		if c := &a.chunks[a.at]; cap(*c)-len(*c) >= n {
			return c
		}
	}
	a.chunks = append(a.chunks, make([]byte, 0, max(n, chunkBytes)))
	return &a.chunks[a.at]
}

// mark returns the state to which rewind can take the arena back.
func (a *arena) mark() arenaMark {
	if a.at == len(a.chunks) {
		return arenaMark{at: a.at}
	}
	return arenaMark{a.at, len(a.chunks[a.at])}
}

type arenaMark struct{ at, used int }

// rewind takes back what was given out since the mark.
func (a *arena) rewind(m arenaMark) {
	for i := m.at; i <= a.at && i < len(a.chunks); i++ {
		a.chunks[i] = a.chunks[i][:m.used]
		m.used = 0
	}
	a.at = m.at
}

// reset takes back all that was given out. It lets go of what is above keptBytes.
func (a *arena) reset() {
	kept := 0
	for i, c := range a.chunks {
		if kept += cap(c); kept > keptBytes {
			clear(a.chunks[i:])
			a.chunks = a.chunks[:i]
			break
		}
		a.chunks[i] = c[:0]
	}
	a.at = 0
}
