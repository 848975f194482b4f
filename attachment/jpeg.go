package attachment

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

var errNoFrame = errors.New("it has no frame header")

// jpegNeed is what decoding a JPEG takes, in bytes. A progressive one keeps the coefficients of the whole picture, four
// bytes for each sample, until it is done: it may need ten times as much as others of its size.
func jpegNeed(r io.Reader) (int64, error) {
	const (
		startOfFrame       = 0xc0 // Baseline; the next are extended and progressive
		progressiveFrame   = 0xc2
		startOfScan        = 0xda
		firstAlone         = 0xd0 // Markers without a length
		lastAlone          = 0xd9
		perProgressive     = 5
		maxComponents      = 4
		componentsInHeader = 6
	)
	in := bufio.NewReader(r)
	for range 1 << 16 {
		marker, err := nextMarker(in)
		if err != nil || marker == startOfScan {
			return 0, errNoFrame
		}
		if marker >= firstAlone && marker <= lastAlone {
			continue
		}
		var size [2]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return 0, errNoFrame
		}
		length := int(binary.BigEndian.Uint16(size[:])) - len(size)
		if marker < startOfFrame || marker > progressiveFrame {
			if _, err := in.Discard(max(0, length)); err != nil {
				return 0, errNoFrame
			}
			continue
		}
		frame := make([]byte, max(0, length))
		if _, err := io.ReadFull(in, frame); err != nil || length < componentsInHeader {
			return 0, errNoFrame
		}
		components := frame[componentsInHeader:]
		components = components[:min(len(components)/3, int(frame[5]), maxComponents)*3]
		height, width := binary.BigEndian.Uint16(frame[1:]), binary.BigEndian.Uint16(frame[3:])
		samples := jpegSamples(int64(width), int64(height), components)
		if marker == progressiveFrame {
			samples *= perProgressive
		}
		return samples, nil
	}
	return 0, errNoFrame
}

// jpegSamples is the number of samples of a frame. Components may have fewer of them than there are pixels.
func jpegSamples(width, height int64, components []byte) int64 {
	var across, down, samples int64 = 1, 1, 0
	for i := 0; i < len(components); i += 3 {
		across, down = max(across, int64(components[i+1]>>4)), max(down, int64(components[i+1]&15))
	}
	for i := 0; i < len(components); i += 3 {
		share := int64(components[i+1]>>4) * int64(components[i+1]&15)
		samples += (width*height*share + across*down - 1) / (across * down)
	}
	return samples
}

// nextMarker reads up to the marker that comes next, and returns it.
func nextMarker(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != 0xff {
			continue
		}
		for b == 0xff {
			if b, err = in.ReadByte(); err != nil {
				return 0, err
			}
		}
		if b != 0 {
			return b, nil
		}
	}
}
