package attachment

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// wavFile is a WAV of one channel of 16 bits, unless the format says otherwise.
func wavFile(format func(chunk []byte) []byte, samples []byte) []byte {
	chunk := make([]byte, 16)
	binary.LittleEndian.PutUint16(chunk, 1)
	binary.LittleEndian.PutUint16(chunk[2:], 1)
	binary.LittleEndian.PutUint32(chunk[4:], 8000)
	binary.LittleEndian.PutUint32(chunk[8:], 16000)
	binary.LittleEndian.PutUint16(chunk[12:], 2)
	binary.LittleEndian.PutUint16(chunk[14:], 16)
	if format != nil {
		chunk = format(chunk)
	}
	data := []byte("RIFF\x00\x00\x00\x00WAVEjunk\x03\x00\x00\x00abc\x00fmt ")
	data = binary.LittleEndian.AppendUint32(data, uint32(len(chunk)))
	data = append(append(data, chunk...), "data"...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(samples)))
	return append(data, samples...)
}

// ramp are samples that grow from silence to the loudest, by turns above and below.
func ramp(n int) []byte {
	var data []byte
	for i := range n {
		value := int16(i * 32767 / n)
		if i%2 == 1 {
			value = -value
		}
		data = binary.LittleEndian.AppendUint16(data, uint16(value))
	}
	return data
}

// isRamp tells whether the levels grow from nothing to the loudest.
func isRamp(levels []int) bool {
	return len(levels) == waveformLength && slices.IsSorted(levels) && levels[0] < 15 && levels[waveformLength-1] == 1024 &&
		levels[50] > 500 && levels[50] < 540
}

func TestWaveformOfWAV(t *testing.T) {
	levels, err := wavLevels(inMemory(wavFile(nil, ramp(20_000))))
	if err != nil || !isRamp(levels) {
		t.Errorf("got %v, %v", levels, err)
	}
	// Every format has one loud sample of half the scale in the middle of three.
	for name, tt := range map[string]struct {
		tag, bits uint16
		samples   []byte
	}{
		"8":          {1, 8, []byte{128, 64, 128}},
		"16":         {1, 16, []byte{0, 0, 0, 0xc0, 0, 0}},
		"24":         {1, 24, []byte{0, 0, 0, 0, 0, 0xc0, 0, 0, 0}},
		"32":         {1, 32, []byte{0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0}},
		"float":      {3, 32, append(binary.LittleEndian.AppendUint32(make([]byte, 4), math.Float32bits(-0.5)), 0, 0, 0, 0)},
		"extensible": {0xfffe, 16, []byte{0, 0, 0, 0xc0, 0, 0}},
	} {
		data := wavFile(func(chunk []byte) []byte {
			binary.LittleEndian.PutUint16(chunk, tt.tag)
			binary.LittleEndian.PutUint16(chunk[12:], tt.bits/8)
			binary.LittleEndian.PutUint16(chunk[14:], tt.bits)
			if tt.tag == 0xfffe {
				chunk = append(chunk, 22, 0, 16, 0, 4, 0, 0, 0, 1, 0)
				chunk = append(chunk, make([]byte, 14)...)
			}
			return chunk
		}, tt.samples)
		levels, err := wavLevels(inMemory(data))
		if err != nil || !slices.Equal(levels, []int{0, 1024, 0}) {
			t.Errorf("%s: got %v, %v", name, levels, err)
		}
		w, err := openWAV(inMemory(data))
		if err != nil || w.loudness(tt.samples[w.frame:]) != 0.5 {
			t.Errorf("%s: loudness is not half, %v", name, err)
		}
	}
	whisper := binary.LittleEndian.AppendUint16(nil, 3)
	if levels, err := wavLevels(inMemory(wavFile(nil, whisper))); err != nil || levels[0] > 20 {
		t.Errorf("silence became %v, %v", levels, err)
	}
}

func TestWaveformOfOtherWAVs(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": nil, "no RIFF": []byte("RIFX\x00\x00\x00\x00WAVE"), "short": []byte("RIFF\x00\x00\x00\x00WAVEfmt "),
		"no samples":  wavFile(nil, nil),
		"ADPCM":       wavFile(func(chunk []byte) []byte { chunk[0] = 2; return chunk }, ramp(9)),
		"no channels": wavFile(func(chunk []byte) []byte { chunk[2] = 0; return chunk }, ramp(9)),
		"odd frame":   wavFile(func(chunk []byte) []byte { chunk[12] = 3; return chunk }, ramp(9)),
	} {
		if levels, err := wavLevels(inMemory(data)); err == nil {
			t.Errorf("%s: got %v", name, levels)
		}
	}
	// One that was cut while it was recorded.
	data := wavFile(nil, ramp(2000))
	if levels, err := wavLevels(inMemory(data[:len(data)-1001])); err != nil || len(levels) != waveformLength {
		t.Errorf("cut: got %v, %v", levels, err)
	}
}

func TestPeaksOfAnyLength(t *testing.T) {
	for _, n := range []int{100, 199, 200, 201, 5000, 100_000} {
		var p peaks
		data := ramp(n)
		// Pieces of odd lengths cut samples in two.
		for piece := range slices.Chunk(data, 77) {
			if written, err := p.Write(piece); err != nil || written != len(piece) {
				t.Fatal(written, err)
			}
		}
		levels := p.levels()
		if n >= 5000 && (len(levels) < waveformLength || !slices.IsSorted(levels) || levels[len(levels)-1] != 1024) {
			t.Errorf("%d: got %v", n, levels)
		}
		if len(levels) > waveformLength || len(levels) < 100 {
			t.Errorf("%d samples become %d", n, len(levels))
		}
	}
	var none peaks
	if levels := none.levels(); len(levels) != 0 {
		t.Errorf("nothing becomes %v", levels)
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(wavFile(nil, ramp(300)))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		levels, err := wavLevels(inMemory(data))
		if (err == nil) == (len(levels) == 0) || len(levels) > waveformLength {
			t.Errorf("got %v, %v", levels, err)
		}
		for _, level := range levels {
			if level < 0 || level > waveformMax {
				t.Errorf("got %v", levels)
			}
		}
	})
}
