package probe

import (
	"bytes"
	"slices"
	"time"
)

// readEnd finds the last page of the stream that has a granule. It looks at the file's last pages only, and gives false
// if the stream ends before them, or before a page of none of the streams that the file begins with.
func (o *oggStream) readEnd(s *source, streams []*oggStream) (bool, error) {
	const window, tail = 32 << 10, 1 << 20
	behind := s.size // Where a page has to end to be one, and not noise that looks like one
	for end := s.size; end > 0 && s.size-end < tail; {
		start := max(0, end-window)
		piece, err := s.at(start, int(min(end+3, s.size)-start))
		if err != nil {
			return false, err
		}
		var found []int64
		for i := len(piece); ; {
			if i = bytes.LastIndex(piece[:i], []byte("OggS")); i < 0 {
				break
			}
			found = append(found, start+int64(i))
		}
		for _, off := range found {
			p, err := readOggPage(s, off)
			if err != nil && !partial(err) {
				return false, err
			}
			if err != nil {
				continue
			}
			if p.serial == o.serial && p.granule != noGranule {
				o.end = p.granule
				return true, nil
			}
			known := slices.ContainsFunc(streams, func(other *oggStream) bool { return other.serial == p.serial })
			if !known && p.to == behind {
				return false, nil
			}
			behind = off
		}
		end = start
	}
	return false, nil
}

// readBegin finds out what an Opus stream starts from: a part of a live stream doesn't start from 0 (RFC 7845, section
// 4.5). The first page with sound on it says where it ends; the packets on it say how long it is.
func (o *oggStream) readBegin(s *source, off int64) error {
	if o.codec != "opus" {
		return nil
	}
	for range 64 { // Pages of tags, with a picture maybe
		p, err := readOggPage(s, off)
		if err != nil {
			return err
		}
		if p.serial == o.serial && p.granule != 0 && p.granule != noGranule {
			lengths := bytes.Clone(p.lengths)
			samples, err := opusSamples(s, p.body, lengths)
			// A page that ends the stream as well may end in the middle of a packet, so it says nothing.
			if err == nil && p.flags&4 == 0 && samples > 0 && p.granule > samples {
				o.begin = p.granule - samples
			}
			return err
		}
		off = p.to
	}
	return nil
}

// opusSamples is how many samples the packets of a page have, at 48 kHz.
func opusSamples(s *source, off int64, lengths []byte) (uint64, error) {
	var sum uint64
	start := true
	for _, length := range lengths {
		if start && length > 0 {
			head, err := s.head(off, 2)
			if err != nil {
				return 0, err
			}
			sum += opusPacket(head)
		}
		start = length < 255
		off += int64(length)
	}
	return sum, nil
}

// opusPacket is how many samples a packet has, at 48 kHz, by its first bytes (RFC 6716, section 3.1).
func opusPacket(head []byte) uint64 {
	if len(head) == 0 {
		return 0
	}
	config, frames := head[0]>>3, uint64(1)
	switch head[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(head) < 2 {
			return 0
		}
		frames = uint64(head[1] & 63)
	}
	var frame uint64
	switch {
	case config < 12:
		frame = [4]uint64{480, 960, 1920, 2880}[config&3]
	case config < 16:
		frame = [2]uint64{480, 960}[config&1]
	default:
		frame = [4]uint64{120, 240, 480, 960}[config&3]
	}
	return frames * frame
}

// readChain adds up the streams of files that were appended to each other.
func readChain(s *source, info *Info) error {
	var current *oggStream
	var sum time.Duration
	for off := int64(0); off < s.size; {
		p, err := readOggPage(s, off)
		if err != nil {
			return err
		}
		switch {
		case p.flags&oggFirst != 0:
			head, err := s.at(p.body, int(min(p.to-p.body, 64)))
			if err != nil {
				return err
			}
			var other Info
			if o := identify(head, &other); o.rate > 0 && o.frame == 0 {
				if current != nil {
					sum += current.length()
				}
				current = o
				current.serial = p.serial
			}
		case current != nil && p.serial == current.serial && p.granule != noGranule:
			current.end = p.granule
		}
		off = p.to
	}
	if current != nil {
		sum += current.length()
	}
	if sum > maxDuration || sum < 0 {
		return malformed("length of an Ogg file")
	}
	info.Duration = sum
	return nil
}
