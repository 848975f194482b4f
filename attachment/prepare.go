package attachment

import (
	"context"
	"fmt"
	"image"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix/id"
)

// Prepared is an [Attachment] whose file was read. It is to be closed, and can be uploaded many times until then. Its
// fields may be changed before.
type Prepared struct {
	Kind          Kind   // Never [KindAny]
	Name          string // See [CleanName]
	MIME          string
	Size          int64 // In bytes
	Width, Height int   // In pixels, as it is seen; 0 if they are not known
	Duration      time.Duration
	Animated      bool
	Blurhash      string
	Waveform      []int // Of a recording, each from 0 to 1024
	Thumbnail     *Thumbnail
	Caption       string
	CaptionHTML   string
	// Warning says in a sentence why some clients won't show the file, and what would help. It is empty for most.
	Warning string

	file     file
	closed   atomic.Bool
	origin   id.ContentURI
	progress Progress
}

// Close lets go of the file. It may be called twice.
func (p *Prepared) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	return p.file.Close()
}

// Prepare opens the source and finds out what clients want to know of the file. Whatever is not known, such as the
// duration of a rare format, is left out; that a preview can't be made is logged and no error. The repository is where
// files of messages come from and which sets limits. The errors are those of the [Source], [ErrNoTool] for voice
// messages that need to be converted, and ctx's.
func (a *Attachment) Prepare(ctx context.Context, r *Repository) (*Prepared, error) {
	source, err := a.source.open(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("open attachment: %w", err)
	}
	p := &Prepared{file: source.file, Caption: a.caption, CaptionHTML: a.captionHTML, progress: a.progress}
	if err := a.prepare(ctx, r, p, &source); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("prepare attachment: %w", err)
	}
	return p, nil
}

func (a *Attachment) prepare(ctx context.Context, r *Repository, p *Prepared, source *opened) error {
	found, err := r.inspect(ctx, p.file, source.path)
	if err != nil {
		return err
	}
	p.Kind = a.kind
	if p.Kind == KindAny {
		p.Kind = found.kind
		if source.hint.Kind == KindVoice && isOpus(p.file) {
			p.Kind = KindVoice
		}
	}
	if p.Kind == KindVoice {
		// What is known of the recording is known of what becomes of it.
		p.Waveform = r.waveform(ctx, p.file, source.path, found)
		if found, err = r.toVoice(ctx, p, source, found); err != nil {
			return err
		}
	}
	p.MIME, p.Size = found.mime, p.file.Size()
	p.Width, p.Height = found.width, found.height
	p.Duration, p.Animated, p.Warning = found.duration, found.animated, found.warning
	p.origin = source.origin
	if a.mime != "" {
		p.MIME = a.mime
	}
	p.takeHint(&source.hint)
	p.setName(a.name, source.name)
	if err := a.preview(ctx, r, p, source.path, found); err != nil {
		return err
	}
	if p.Kind == KindAudio && found.mime == mimeWAV {
		p.Waveform = r.waveform(ctx, p.file, source.path, found)
	}
	if p.Warning != "" {
		r.log.WarnContext(ctx, "some clients will not show the attachment", "mime", p.MIME, "reason", p.Warning)
		r.warn(ctx, p)
	}
	return ctx.Err()
}

// takeHint fills in what could not be found with what the message said that the file came with.
func (p *Prepared) takeHint(hint *Info) {
	if p.Width == 0 || p.Height == 0 {
		p.Width, p.Height = hint.Width, hint.Height
	}
	if p.Duration == 0 {
		p.Duration = hint.Duration
	}
	if len(p.Waveform) == 0 {
		p.Waveform = hint.Waveform
	}
}

// setName takes the first that is usable. A name without an extension gets that of its type: some clients go by it.
func (p *Prepared) setName(candidates ...string) {
	for _, candidate := range candidates {
		if p.Name = CleanName(candidate); p.Name != "" {
			break
		}
	}
	bare, _, _ := strings.Cut(p.MIME, ";")
	switch extension := extensions[bare]; {
	case p.Name == "":
		p.Name = nameFor(p.Kind, p.MIME)
	case p.Kind == KindVoice:
		p.Name = CleanName(strings.TrimSuffix(p.Name, path.Ext(p.Name)) + extension)
	case path.Ext(p.Name) == "" && p.Kind != KindFile && len(p.Name)+len(extension) <= maxName:
		p.Name += extension
	}
}

// preview makes thumbnail and blurhash. All that goes wrong but ctx's end is only logged: the file is sent without.
func (a *Attachment) preview(ctx context.Context, r *Repository, p *Prepared, path string, found facts) error {
	if p.Kind != KindImage && p.Kind != KindVideo || a.noThumbnail && a.noBlurhash {
		return nil
	}
	select {
	case r.decodings <- struct{}{}:
		defer func() { <-r.decodings }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	want := wanted{orientation: found.orientation, blurhash: !a.noBlurhash}
	var picture image.Image
	var err error
	if kindOf(found.mime) == KindImage && formats[found.mime].decode != nil {
		want.lossy = found.mime == "image/jpeg"
		if !a.noThumbnail {
			want.thumbnail = thumbnailIfLarge
		}
		picture, err = decodePicture(ctx, p.file, found.mime, r.maxPicture)
	} else {
		want.lossy = p.Kind == KindVideo
		// A thumbnail that is not transparent is worse than none, and ffmpeg leaves the transparency of AVIF out.
		if !a.noThumbnail && !(found.kind == KindImage && found.alpha) {
			want.thumbnail = thumbnailAlways
		}
		picture, err = r.still(ctx, p.file, path, found)
	}
	var made preview
	if err == nil {
		made, err = previewOf(picture, want)
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.log.InfoContext(ctx, "no preview of an attachment", "mime", found.mime, "err", err)
		return nil
	}
	p.Thumbnail, p.Blurhash = made.thumbnail, made.blurhash
	if p.Width == 0 && p.Kind == KindImage && picture != nil {
		p.Width, p.Height = picture.Bounds().Dx(), picture.Bounds().Dy()
		if turned(want.orientation) {
			p.Width, p.Height = p.Height, p.Width
		}
	}
	return nil
}
