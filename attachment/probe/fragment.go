package probe

import (
	"encoding/binary"
	"time"
)

// readIndex reads a segment index (sidx): the sum of the segments that it lists, for one track. References to further
// indexes are left out, since those count their own.
func (m *movie) readIndex(s *source, b box) error {
	version, _, _, err := b.versioned(s, 4)
	if err != nil {
		return err
	}
	at := 20
	if version == 1 {
		at = 28
	}
	_, _, body, err := b.versioned(s, at+4)
	if err != nil {
		return err
	}
	id, scale := binary.BigEndian.Uint32(body[4:]), binary.BigEndian.Uint32(body[8:])
	count := int64(binary.BigEndian.Uint16(body[at+2:]))
	off, sum := b.from+int64(at)+4, uint64(0)
	if off+12*count > b.to {
		return malformed("index of segments")
	}
	for i := range count {
		entry, err := s.at(off+12*i, 12)
		if err != nil {
			return err
		}
		if entry[0]&0x80 == 0 {
			sum += uint64(binary.BigEndian.Uint32(entry[4:]))
		}
	}
	if m.indexed == nil {
		m.indexed = map[uint32]time.Duration{}
	}
	if len(m.indexed) < maxTracks {
		m.indexed[id] += min(ticks(sum, uint64(scale)), maxDuration-m.indexed[id])
	}
	return nil
}

// readFragment reads a moof box: each of its tracks goes on for as long as its runs do.
func (m *movie) readFragment(s *source, moof box) error {
	if len(m.indexed) > 0 {
		return nil
	}
	for b, err := range moof.children(s) {
		if err != nil {
			return err
		}
		if b.kind == "traf" {
			if err := m.readTrackFragment(s, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// readTrackFragment reads a traf box, which holds a header, often a start, and runs of samples.
func (m *movie) readTrackFragment(s *source, traf box) error {
	var t *track
	var sampleLength uint32
	for b, err := range traf.children(s) {
		if err != nil {
			return err
		}
		switch {
		case b.kind == "tfhd":
			_, flags, body, err := b.versioned(s, 8)
			if err != nil {
				return err
			}
			if t = m.track(binary.BigEndian.Uint32(body[4:])); t == nil {
				return nil
			}
			sampleLength = t.sampleLength
			if at := defaultLengthAt(flags); at > 0 {
				if _, _, body, err = b.versioned(s, at+4); err != nil {
					return err
				}
				sampleLength = binary.BigEndian.Uint32(body[at:])
			}
		case t == nil:
		case b.kind == "tfdt":
			if err := t.readStart(s, b); err != nil {
				return err
			}
		case b.kind == "trun":
			n, err := runLength(s, b, sampleLength)
			if err != nil {
				return err
			}
			t.fragmented = true
			if t.end += n; t.end > 1<<62 {
				return malformed("length of a fragment")
			}
		}
	}
	return nil
}

func (m *movie) track(id uint32) *track {
	for _, t := range m.tracks {
		if t.id == id {
			return t
		}
	}
	return nil
}

// defaultLengthAt is where a tfhd box with such flags has its samples' length, or 0 if it has none.
func defaultLengthAt(flags uint32) int {
	if flags&0x08 == 0 {
		return 0
	}
	at := 8
	if flags&0x01 != 0 {
		at += 8
	}
	if flags&0x02 != 0 {
		at += 4
	}
	return at
}

// readStart reads a tfdt box. The first one is not at 0 if the film was cut from a live one.
func (t *track) readStart(s *source, b box) error {
	version, _, body, err := b.versioned(s, 8)
	if err != nil {
		return err
	}
	start := uint64(binary.BigEndian.Uint32(body[4:]))
	if version == 1 {
		if _, _, body, err = b.versioned(s, 12); err != nil {
			return err
		}
		start = binary.BigEndian.Uint64(body[4:])
	}
	if start > 1<<62 {
		return malformed("start of a fragment")
	}
	if !t.fragmented {
		t.begin, t.end = start, start
	}
	t.end = max(t.end, start)
	return nil
}

// runLength is the sum of the samples of a trun box, in units.
func runLength(s *source, b box, sampleLength uint32) (uint64, error) {
	_, flags, body, err := b.versioned(s, 8)
	if err != nil {
		return 0, err
	}
	count := int64(binary.BigEndian.Uint32(body[4:]))
	if flags&0x100 == 0 {
		return uint64(count) * uint64(sampleLength), nil
	}
	off, stride := b.from+8, int64(4)
	for _, flag := range []uint32{0x01, 0x04} {
		if flags&flag != 0 {
			off += 4
		}
	}
	for _, flag := range []uint32{0x200, 0x400, 0x800} {
		if flags&flag != 0 {
			stride += 4
		}
	}
	if off+count*stride > b.to {
		return 0, malformed("run of samples")
	}
	var sum uint64
	for i := range count {
		length, err := s.at(off+i*stride, 4)
		if err != nil {
			return 0, err
		}
		sum += uint64(binary.BigEndian.Uint32(length))
	}
	return sum, nil
}
