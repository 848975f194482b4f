package attachment

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"

	"golang.org/x/image/webp"
)

const (
	webpPixel    = 8       // Bytes of memory for a pixel: the decoder has it twice
	maxWebPChunk = 4 << 20 // Bytes before the first frame, which are a colour profile at most

	webpAnimated = 1 << 1 // Flags of the first chunk
	webpAlpha    = 1 << 4
)

var errNoWebPFrame = errors.New("animated WebP without a first frame")

// webpFrame is the first frame of an animated WebP (RFC 9649, 2.7.1.1).
type webpFrame struct {
	canvas, place image.Rectangle // The place lies within the canvas
	still         io.Reader       // The frame as a WebP of its own
}

// firstFrame finds the first frame of an animated WebP, and reads nothing of any other file, for which it is nil.
func firstFrame(r *bufio.Reader) (*webpFrame, error) {
	const head = 12 + 8 + 10
	start, err := r.Peek(head)
	if err != nil || string(start[:4]) != "RIFF" || string(start[8:16]) != "WEBPVP8X" || start[20]&webpAnimated == 0 {
		return nil, nil //nolint:nilerr // what is too short is for the decoder to complain of
	}
	f := &webpFrame{canvas: image.Rect(0, 0, 1+uint24(start[24:]), 1+uint24(start[27:]))}
	if _, err := r.Discard(head); err != nil {
		return nil, err
	}
	for left := maxWebPChunk; ; {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoWebPFrame, err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		if string(chunk[:4]) == "ANMF" {
			return f, f.read(r, size)
		}
		size += size & 1
		if size+8 > int64(left) {
			return nil, errNoWebPFrame
		}
		left -= int(size) + 8
		if _, err := r.Discard(int(size)); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoWebPFrame, err)
		}
	}
}

// read reads the head of a frame of that size, and puts another one before what follows.
func (f *webpFrame) read(r *bufio.Reader, size int64) error {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("%w: %w", errNoWebPFrame, err)
	}
	corner := image.Pt(2*uint24(head[0:]), 2*uint24(head[3:]))
	f.place = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(1+uint24(head[6:]), 1+uint24(head[9:])))}
	body, err := r.Peek(4)
	if size -= int64(len(head)); err != nil || size < 8 || !f.place.In(f.canvas) {
		return errNoWebPFrame
	}
	flags := byte(0)
	if string(body) == "ALPH" {
		flags = webpAlpha
	}
	size += size & 1
	still := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+8+10+size))
	still = append(still, "WEBPVP8X\x0a\x00\x00\x00"...)
	still = append(still, flags, 0, 0, 0)
	still = append(still, head[6:12]...)
	f.still = io.MultiReader(bytes.NewReader(still), io.LimitReader(r, size))
	return nil
}

// decodeWebP decodes a WebP, or the first frame of an animated one.
func decodeWebP(r io.Reader) (image.Image, error) {
	buffered := bufio.NewReaderSize(r, copyBuffer)
	f, err := firstFrame(buffered)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return webp.Decode(buffered)
	}
	// The decoder holds the frame to the size that stands in front of it.
	frame, err := webp.Decode(f.still)
	if err != nil || f.place == f.canvas {
		return frame, err
	}
	whole := image.NewRGBA(f.canvas)
	draw.Draw(whole, f.place, frame, frame.Bounds().Min, draw.Src)
	return whole, nil
}

// webpNeed is what decoding takes of memory, in bytes.
func webpNeed(r io.Reader) (int64, error) {
	buffered := bufio.NewReader(r)
	f, err := firstFrame(buffered)
	if err != nil {
		return 0, err
	}
	area := func(r image.Rectangle) int64 { return int64(r.Dx()) * int64(r.Dy()) }
	if f != nil {
		need := webpPixel * area(f.place)
		if f.place != f.canvas {
			need += 4 * area(f.canvas)
		}
		return need, nil
	}
	config, err := webp.DecodeConfig(buffered)
	return webpPixel * int64(config.Width) * int64(config.Height), err
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
