package attachment

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

const (
	mimeWAV = "audio/wav"

	waveformMax    = 1024 // The loudest (MSC3246)
	waveformLength = 100  // MSC3246 asks for 30 to 120 samples
	quietest       = 0.01 // What stays below is taken for silence rather than made loud

	maxChunks = 1000     // Of a WAV
	wavBlock  = 16 << 10 // Bytes that are looked at for each sample of the waveform
)

// scaled makes the loudest sample the loudest there is, so that a shy speaker has a waveform too.
func scaled(loudness []float64) []int {
	most := quietest
	for _, l := range loudness {
		most = max(most, l)
	}
	levels := make([]int, len(loudness))
	for i, l := range loudness {
		levels[i] = level(l / most)
	}
	return levels
}

// peaks makes a waveform of 16-bit samples that are written to it, however many there will be: when its buckets are
// full, each two of them become one.
type peaks struct {
	buckets [2 * waveformLength]float64
	full    int // Buckets that are done
	each    int // Samples of a bucket
	have    int // Samples of the bucket at hand
	half    []byte
}

// Write implements [io.Writer].
func (p *peaks) Write(data []byte) (int, error) {
	length := len(data)
	if len(p.half) == 1 && length > 0 {
		p.add([]byte{p.half[0], data[0]})
		p.half, data = nil, data[1:]
	}
	for ; len(data) >= 2; data = data[2:] {
		p.add(data[:2])
	}
	p.half = append(p.half, data...)
	return length, nil
}

func (p *peaks) add(sample []byte) {
	if p.full == len(p.buckets) {
		for i := range p.full / 2 {
			p.buckets[i] = max(p.buckets[2*i], p.buckets[2*i+1])
		}
		p.full /= 2
		clear(p.buckets[p.full:])
		p.each *= 2
	}
	p.each = max(1, p.each)
	value := math.Abs(float64(int16(binary.LittleEndian.Uint16(sample)))) / 32768
	p.buckets[p.full] = max(p.buckets[p.full], value)
	if p.have++; p.have == p.each {
		p.full, p.have = p.full+1, 0
	}
}

func (p *peaks) levels() []int {
	used := p.buckets[:p.full]
	if p.have > 0 {
		used = p.buckets[:p.full+1]
	}
	if len(used) <= waveformLength {
		return scaled(used)
	}
	// Between one and two buckets for each.
	fewer := make([]float64, waveformLength)
	for i, value := range used {
		at := i * waveformLength / len(used)
		fewer[at] = max(fewer[at], value)
	}
	return scaled(fewer)
}

var errNotWAV = errors.New("it is no WAV that can be read")

// wav is where the samples of a WAV are, and what they are.
type wav struct {
	start, frames int64
	frame         int // Bytes of a sample of all channels
	bits          int
	float         bool
}

// wavLevels is the waveform of a WAV, by a look at a hundred places.
func wavLevels(f file) ([]int, error) {
	w, err := openWAV(f)
	if err != nil {
		return nil, err
	}
	length := int(min(w.frames, waveformLength))
	loudness := make([]float64, length)
	buf := make([]byte, wavBlock)
	for i := range loudness {
		from, to := w.frames*int64(i)/int64(length), w.frames*int64(i+1)/int64(length)
		size := min(to-from, int64(wavBlock/w.frame)) * int64(w.frame)
		n, err := f.ReadAt(buf[:size], w.start+from*int64(w.frame))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for sample := range slices.Chunk(buf[:n-n%w.frame], w.bits/8) {
			loudness[i] = max(loudness[i], w.loudness(sample))
		}
	}
	return scaled(loudness), nil
}

// loudness is that of one channel's sample.
func (w *wav) loudness(sample []byte) float64 {
	switch {
	case w.float:
		return math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(sample))))
	case w.bits == 8:
		return math.Abs(float64(sample[0])-128) / 128
	case w.bits == 16:
		return math.Abs(float64(int16(binary.LittleEndian.Uint16(sample)))) / (1 << 15)
	case w.bits == 24:
		return math.Abs(float64(int32(uint32(sample[0])<<8|uint32(sample[1])<<16|uint32(sample[2])<<24))) / (1 << 31)
	}
	return math.Abs(float64(int32(binary.LittleEndian.Uint32(sample)))) / (1 << 31)
}

// openWAV finds the samples. PCM of 8 to 32 bits and floats of 32 are known.
func openWAV(f file) (wav, error) {
	var w wav
	head := make([]byte, 40)
	if _, err := f.ReadAt(head[:12], 0); err != nil || string(head[:4]) != "RIFF" || string(head[8:12]) != "WAVE" {
		return w, errNotWAV
	}
	at := int64(12)
	for range maxChunks {
		if _, err := f.ReadAt(head[:8], at); err != nil {
			return w, errNotWAV
		}
		name, size := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		at += 8
		switch name {
		case "fmt ":
			n, err := f.ReadAt(head[:min(size, 40)], at)
			if n < 16 || err != nil && !errors.Is(err, io.EOF) {
				return w, errNotWAV
			}
			w.format(head[:n])
		case "data":
			if w.frame == 0 {
				return w, errNotWAV
			}
			// A recorder that was stopped leaves a size that is too large.
			w.start, w.frames = at, min(size, f.Size()-at)/int64(w.frame)
			if w.frames <= 0 {
				return w, errNotWAV
			}
			return w, nil
		}
		at += size + size%2
	}
	return w, errNotWAV
}

// format reads a format chunk; w.frame stays 0 if it is none that is known.
func (w *wav) format(chunk []byte) {
	const pcm, float, extensible = 1, 3, 0xfffe
	tag := binary.LittleEndian.Uint16(chunk)
	if tag == extensible && len(chunk) >= 26 {
		tag = binary.LittleEndian.Uint16(chunk[24:]) // The first part of the sub-format's GUID
	}
	channels, bits := int(binary.LittleEndian.Uint16(chunk[2:])), int(binary.LittleEndian.Uint16(chunk[14:]))
	frame := int(binary.LittleEndian.Uint16(chunk[12:]))
	known := tag == pcm && (bits == 8 || bits == 16 || bits == 24 || bits == 32) || tag == float && bits == 32
	if !known || channels == 0 || frame != channels*bits/8 || frame > wavBlock {
		return
	}
	w.frame, w.bits, w.float = frame, bits, tag == float
}
