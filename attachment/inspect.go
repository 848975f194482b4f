package attachment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// facts are what a file says of itself.
type facts struct {
	mime          string
	kind          Kind
	width, height int // Upright
	orientation   int // As in EXIF; 1 where there is nothing to turn
	animated      bool
	duration      time.Duration
	warning       string
}

// inspect reads what the file says of itself.
func inspect(ctx context.Context, f file) (facts, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return facts{}, err
	}
	mime := http.DetectContentType(head[:n])
	found := facts{mime: mime, kind: kindOf(mime), orientation: 1}
	if format, ok := formats[mime]; ok {
		if config, err := format.config(reader(ctx, f)); err == nil {
			found.width, found.height = config.Width, config.Height
		}
	}
	return found, nil
}
