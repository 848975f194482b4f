package probe

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// parser reads the rest of what a file says. It may correct the MIME type that it was chosen by.
type parser func(*source, *Info) error

// parsers are the formats that are known well, by the MIME type that [sniff] gives.
var parsers = map[string]parser{
	"image/jpeg":    readJPEG,
	"image/png":     readPNG,
	"image/gif":     readGIF,
	"image/webp":    readWebP,
	"image/bmp":     readBMP,
	"image/tiff":    readTIFF,
	"image/x-icon":  readIcon,
	"image/svg+xml": readSVG,
	mimeISO:         readISO,
	mimeMatroska:    readMatroska,
	mimeOgg:         readOgg,
	"audio/mpeg":    readMP3,
	"audio/aac":     readADTS,
	"audio/flac":    readFLAC,
	"audio/wav":     readWAV,
}

// Option changes how [Read] works.
type Option func(*options)

type options struct {
	ffprobe *ffprobe
}

// Read finds out what a file of that many bytes is. It never reads more than [MaxBytes] of it, and less than 100 KiB of
// nearly all files.
//
// A [*PartialError] comes with an Info that is right as far as it goes: the file is damaged, say. With any other error,
// which is that of r or of ctx, the Info is empty. An empty file is none: it is "application/octet-stream".
//
// It may be called concurrently, with one reader too if its ReadAt allows that, as that of [os.File] does.
func Read(ctx context.Context, r io.ReaderAt, size int64, opts ...Option) (Info, error) {
	if size < 0 {
		return Info{}, fmt.Errorf("probe a file of %d bytes", size)
	}
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	info, err := read(newSource(r, size, ctx.Err))
	if err != nil && !partial(err) {
		return Info{}, err
	}
	if o.ffprobe != nil && info.wanting() {
		err = o.ffprobe.complete(ctx, io.NewSectionReader(r, 0, size), &info, err)
		if ctx.Err() != nil {
			return Info{}, ctx.Err()
		}
	}
	if err != nil {
		return info, &PartialError{MIME: info.MIME, Err: err}
	}
	return info, nil
}

// read is Read in pure Go.
func read(s *source) (Info, error) {
	mime, err := sniff(s)
	info := Info{MIME: mime}
	if err == nil {
		if parse := parsers[mime]; parse != nil {
			err = parse(s, &info)
		}
	}
	info.finish()
	return info, err
}

// wanting tells whether a player would know more.
func (info *Info) wanting() bool {
	switch info.Kind {
	case Video:
		return info.Duration == 0 || info.Width == 0
	case Audio:
		return info.Duration == 0
	}
	return false
}

// family tells whether a MIME type begins with that.
func family(mime, of string) bool { return strings.HasPrefix(mime, of+"/") }
