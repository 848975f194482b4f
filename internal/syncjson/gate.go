package syncjson

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// errWindow is the gate's error for a token or value that does not fit into the window.
var errWindow = errors.New("window is full")

// gate stands between the stream and the JSON decoder, which by itself would buffer a value of any length. A Read that
// would let more than window bytes pile up fails, and can be repeated once window is larger: the decoder then goes on.
type gate struct {
	r         io.Reader
	dec       *jsontext.Decoder
	err       error // from r, after its last bytes
	delivered int64
	window    int64 // how far the stream may be ahead of what the decoder has returned
	limit     int64 // of the whole stream
	peak      int64 // the largest such distance so far
}

func (g *gate) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	ahead := g.delivered - g.dec.InputOffset()
	if ahead >= g.window {
		return 0, errWindow
	}
	// One byte above the limit is asked for, to tell a response that just fits from one that does not.
	p = p[:min(int64(len(p)), g.window-ahead, g.limit+1-g.delivered)]
	n, err := 0, error(nil)
	for range 100 {
		if n, err = g.r.Read(p); n > 0 || err != nil {
			break
		}
	}
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	g.delivered += int64(n)
	g.peak = max(g.peak, ahead+int64(n))
	if g.delivered > g.limit {
		n, err = 0, ErrResponseTooLarge
	}
	g.err = err
	return n, err
}
