package probe

import "time"

// frame is a piece of sound that stands on its own: of MP3 or ADTS.
type frame struct {
	size    int64  // In bytes, with its header
	samples uint64 // Of each channel
	rate    uint64 // Samples in a second
}

// frameParser reads the header of a frame. It gives false if there is none.
type frameParser func(head []byte) (frame, bool)

const (
	frameHead = 7 // The longest header that is read, in bytes
	// maxScan is how much sound is looked at to know how long all of it plays, in bytes. It is all of most songs.
	maxScan = 4 << 20
	// maxJunk is how far behind a tag the sound may begin, in bytes.
	maxJunk = 64 << 10
)

// firstFrame gives the offset of the first frame that is followed by another, or by the end.
func firstFrame(s *source, from int64, parse frameParser) (int64, bool, error) {
	for off := from; off < s.size && off-from < maxJunk; off++ {
		head, err := s.head(off, frameHead)
		if err != nil {
			return 0, false, err
		}
		f, ok := parse(head)
		if !ok {
			continue
		}
		if off+f.size >= s.size {
			return off, off == from || off+f.size == s.size, nil
		}
		head, err = s.head(off+f.size, frameHead)
		if err != nil {
			return 0, false, err
		}
		if next, ok := parse(head); ok && next.rate == f.rate {
			return off, true, nil
		}
		if off == from && off+f.size+128 >= s.size {
			return off, true, nil // One frame and a tag
		}
	}
	return 0, false, nil
}

// playing is how long the frames between two offsets play. If they are too many, those looked at stand for the rest.
func playing(s *source, from, to int64, parse frameParser) (time.Duration, error) {
	var sum time.Duration
	off := from
	var samples, rate uint64
	for off < to && off-from < maxScan {
		head, err := s.head(off, frameHead)
		if err != nil {
			return 0, err
		}
		f, ok := parse(head)
		if !ok {
			break
		}
		if f.rate != rate {
			sum += ticks(samples, rate)
			samples, rate = 0, f.rate
		}
		samples += f.samples
		off += f.size
	}
	sum += ticks(samples, rate)
	if off < to && off > from {
		sum = time.Duration(float64(sum) * float64(to-from) / float64(off-from))
	}
	if sum > maxDuration {
		return 0, malformed("length of the sound")
	}
	return sum, nil
}
