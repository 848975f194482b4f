package probe

import (
	"encoding/binary"
	"iter"
	"math"
	"math/bits"
)

// Elements of Matroska that are looked at (RFC 9559, section 5.1).
const (
	idHeader        = 0x1a45dfa3
	idDocType       = 0x4282
	idSegment       = 0x18538067
	idInfo          = 0x1549a966
	idScale         = 0x2ad7b1
	idDuration      = 0x4489
	idTracks        = 0x1654ae6b
	idTrackEntry    = 0xae
	idTrackNumber   = 0xd7
	idTrackType     = 0x83
	idCodecID       = 0x86
	idFrameLength   = 0x23e383
	idVideo         = 0xe0
	idPixelWidth    = 0xb0
	idPixelHeight   = 0xba
	idDisplayWidth  = 0x54b0
	idDisplayHeight = 0x54ba
	idDisplayUnit   = 0x54b2
	idAlphaMode     = 0x53c0
	idCluster       = 0x1f43b675
	idTimestamp     = 0xe7
	idSimpleBlock   = 0xa3
	idBlockGroup    = 0xa0
	idBlock         = 0xa1
	idBlockDuration = 0x9b
)

// element is a piece of an EBML file (RFC 8794).
type element struct {
	id       uint32
	start    int64 // Where its id stands
	from, to int64 // The body, which ends with the element around it at the latest
	unknown  bool  // It has no size: it goes on until something comes that can't be in it
}

// elements walks the elements between two offsets. Nothing is entered that isn't asked for by name. An element of
// unknown size seems to reach to the end.
func elements(s *source, from, to int64) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		for off := from; off < to; {
			e, err := readElement(s, off, to)
			if !yield(e, err) || err != nil {
				return
			}
			off = e.to
		}
	}
}

// readElement reads an element's id and size.
func readElement(s *source, off, to int64) (element, error) {
	head, err := s.head(off, 12)
	if err != nil {
		return element{}, err
	}
	if len(head) == 0 {
		return element{}, errLeft
	}
	idLen := bits.LeadingZeros8(head[0]) + 1
	if idLen > 4 || len(head) <= idLen {
		return element{}, malformed("id of an EBML element")
	}
	e := element{start: off, to: to}
	for _, c := range head[:idLen] {
		e.id = e.id<<8 | uint32(c)
	}
	head = head[idLen:]
	sizeLen := bits.LeadingZeros8(head[0]) + 1
	if sizeLen > 8 || len(head) < sizeLen {
		return element{}, malformed("size of an EBML element")
	}
	size := uint64(head[0]) & (1<<(8-sizeLen) - 1)
	for _, c := range head[1:sizeLen] {
		size = size<<8 | uint64(c)
	}
	e.from = off + int64(idLen+sizeLen)
	if e.unknown = size == 1<<(7*sizeLen)-1; !e.unknown && int64(size) < to-e.from {
		e.to = e.from + int64(size)
	}
	if e.from > e.to {
		return element{}, errLeft
	}
	return e, nil
}

func (e element) children(s *source) iter.Seq2[element, error] { return elements(s, e.from, e.to) }

// uint is the element as an unsigned number.
func (e element) uint(s *source) (uint64, error) {
	if e.to-e.from > 8 {
		return 0, malformed("EBML number")
	}
	body, err := s.at(e.from, int(e.to-e.from))
	if err != nil {
		return 0, err
	}
	var v uint64
	for _, c := range body {
		v = v<<8 | uint64(c)
	}
	return v, nil
}

// float is the element as a floating-point number.
func (e element) float(s *source) (float64, error) {
	switch e.to - e.from {
	case 0:
		return 0, nil
	case 4:
		body, err := s.at(e.from, 4)
		if err != nil {
			return 0, err
		}
		return float64(math.Float32frombits(binary.BigEndian.Uint32(body))), nil
	case 8:
		body, err := s.at(e.from, 8)
		if err != nil {
			return 0, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(body)), nil
	}
	return 0, malformed("EBML number")
}

// text is the element as a short string.
func (e element) text(s *source) (string, error) {
	body, err := s.at(e.from, int(min(e.to-e.from, 64)))
	if err != nil {
		return "", err
	}
	for i, c := range body {
		if c == 0 {
			body = body[:i]
			break
		}
	}
	return string(body), nil
}
