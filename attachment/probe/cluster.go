package probe

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// maxTail is how far before the end of a Matroska file its last cluster is looked for, in bytes.
const maxTail = 4 << 20

// readEnd looks for the end of the last block: in the last cluster that can be found from the end, or else by walking
// from the first one, past those that say where they end.
func (m *matroska) readEnd(s *source, first element, to int64) error {
	if off, err := lastCluster(s, first.from, to); err != nil {
		return err
	} else if off > 0 {
		return m.readClusters(s, off, to)
	}
	last, err := skipClusters(s, first.start, to)
	if err != nil {
		return err
	}
	return m.readClusters(s, last, to)
}

// skipClusters gives the offset of the last cluster, or of the first one of unknown size.
func skipClusters(s *source, from, to int64) (int64, error) {
	last := from
	for e, err := range elements(s, from, to) {
		if errors.Is(err, ErrMalformed) {
			break // The file was cut off
		}
		if err != nil {
			return 0, err
		}
		if e.id == idCluster {
			last = e.start
		}
		if e.unknown {
			break
		}
	}
	return last, nil
}

// lastCluster gives the offset of the last cluster that begins in the tail, or 0. The four bytes of a cluster's id may
// stand in a frame too, so a timestamp has to come first in it, as the specification asks.
func lastCluster(s *source, from, to int64) (int64, error) {
	const window, overlap = 32 << 10, 3
	for end := to; end > from && to-end < maxTail; {
		start := max(from, end-window)
		piece, err := s.at(start, int(min(end+overlap, to)-start))
		if err != nil {
			return 0, err
		}
		var found []int64
		for i := len(piece) - 4; i >= 0; i-- {
			if piece[i] == 0x1f && binary.BigEndian.Uint32(piece[i:]) == idCluster {
				found = append(found, start+int64(i))
			}
		}
		for _, off := range found {
			e, err := readElement(s, off, to)
			if err != nil {
				continue
			}
			stamp, err := readElement(s, e.from, e.to)
			if err == nil && stamp.id == idTimestamp && !stamp.unknown && stamp.to-stamp.from <= 8 {
				return off, nil
			}
		}
		end = start
	}
	return 0, nil
}

// readClusters walks the clusters from an offset on, and notes where the last block of all ends.
func (m *matroska) readClusters(s *source, from, to int64) error {
	var now uint64 // The timestamp of the cluster, in units
	for off := from; off < to; {
		e, err := readElement(s, off, to)
		if err != nil {
			return err
		}
		off = e.to
		switch e.id {
		case idCluster:
			off = e.from // Its children and what follows come in one row, whether its size is known or not
		case idTimestamp:
			if now, err = e.uint(s); now > math.MaxInt64/4 {
				return malformed("timestamp of a cluster")
			}
		case idSimpleBlock:
			err = m.readBlock(s, e, now, 0)
		case idBlockGroup:
			err = m.readGroup(s, e, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readGroup reads a block that says how long it is shown.
func (m *matroska) readGroup(s *source, group element, now uint64) error {
	var block element
	var length uint64
	for e, err := range group.children(s) {
		if err != nil {
			return err
		}
		switch e.id {
		case idBlock:
			block = e
		case idBlockDuration:
			if length, err = e.uint(s); err != nil {
				return err
			}
		}
	}
	if block.to == 0 {
		return nil
	}
	return m.readBlock(s, block, now, min(length, math.MaxInt64/4))
}

// readBlock notes when a block ends: after the length given, or that of the track's frames.
func (m *matroska) readBlock(s *source, e element, now, length uint64) error {
	head, err := s.at(e.from, int(min(e.to-e.from, 4+8)))
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return malformed("block of a cluster")
	}
	n := bits.LeadingZeros8(head[0]) + 1
	if n > 8 || len(head) < n+2 {
		return malformed("block of a cluster")
	}
	number := uint64(head[0]) & (1<<(8-n) - 1)
	for _, c := range head[1:n] {
		number = number<<8 | uint64(c)
	}
	if length == 0 {
		length = m.frameLength[number] / m.scale
	}
	relative := int64(int16(binary.BigEndian.Uint16(head[n:])))
	m.last = max(m.last, int64(now)+relative+int64(min(length, math.MaxInt64/4)))
	return nil
}
