package attachment

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// facts are what a file says of itself.
type facts struct {
	mime          string
	kind          Kind
	width, height int // As it is seen
	orientation   int // As in EXIF; 1 where there is nothing to turn
	animated      bool
	alpha         bool // Whether a picture may be transparent
	duration      time.Duration
	warning       string
}

// inspect reads what the file says of itself. path is where other programs find it, or empty. A damaged file is one of
// which less is known.
func (r *Repository) inspect(ctx context.Context, f file, path string) (facts, error) {
	var opts []probe.Option
	if program, ok := r.tool.probe(); ok {
		opts = append(opts, probe.WithFFprobe(probe.FFprobe{Program: program, Path: path}))
	}
	info, err := probe.Read(ctx, f, f.Size(), opts...)
	var partial *probe.PartialError
	if err != nil && !errors.As(err, &partial) {
		return facts{}, err
	}
	kinds := map[probe.Kind]Kind{probe.Image: KindImage, probe.Audio: KindAudio, probe.Video: KindVideo}
	kind, ok := kinds[info.Kind]
	if !ok {
		kind = KindFile
	}
	return facts{
		mime: info.MIME, kind: kind, width: info.Width, height: info.Height, orientation: max(1, info.Orientation),
		animated: info.Animated, alpha: info.Alpha, duration: info.Duration, warning: info.Warning,
	}, nil
}

// probe is the program that knows what package probe does not: ffprobe, which lies beside ffmpeg.
func (t tool) probe() (program string, ok bool) {
	switch {
	case !t.known:
		return "ffprobe", true
	case t.path == "":
		return "", false
	}
	return filepath.Join(filepath.Dir(t.path), "ffprobe"+filepath.Ext(t.path)), true
}
