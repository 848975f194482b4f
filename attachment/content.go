package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// unstableAnimated is the field of MSC4230 until it is in the specification.
const unstableAnimated = "org.matrix.msc4230.is_animated"

// Upload brings the file and its thumbnail to the server and returns the content of the m.room.message. encrypted is
// to be true in encrypted rooms: the files are encrypted then, each with a key of its own, and their names and types
// are kept from the server. The errors: [ErrTooLarge], or the server's, as mautrix.HTTPError.
func (p *Prepared) Upload(ctx context.Context, r *Repository, encrypted bool) (*event.MessageEventContent, error) {
	content := &event.MessageEventContent{
		MsgType: p.Kind.MsgType(), Body: p.Name, FileName: p.Name, Info: p.info(),
	}
	if p.Caption != "" {
		content.Body = p.Caption
		if p.CaptionHTML != "" {
			content.Format, content.FormattedBody = event.FormatHTML, p.CaptionHTML
		}
	}
	if p.Kind == KindVoice {
		content.MSC3245Voice = &event.MSC3245Voice{}
	}
	if p.Kind == KindVoice || p.Kind == KindAudio && len(p.Waveform) > 0 {
		content.MSC1767Audio = &event.MSC1767Audio{Duration: int(p.Duration.Milliseconds()), Waveform: p.Waveform}
	}
	if thumbnail := p.Thumbnail; thumbnail != nil {
		uri, file, err := r.put(ctx, upload{
			file: sizedFile{bytes.NewReader(thumbnail.Data), io.NopCloser(nil), int64(len(thumbnail.Data))},
			mime: thumbnail.MIME, name: "thumbnail" + extensions[thumbnail.MIME],
		}, encrypted)
		if err != nil {
			return nil, fmt.Errorf("thumbnail: %w", err)
		}
		content.Info.ThumbnailURL, content.Info.ThumbnailFile = uri, file
	}
	if !encrypted && !p.origin.IsEmpty() {
		content.URL = p.origin.CUString()
		return content, nil
	}
	var err error
	content.URL, content.File, err = r.put(ctx, upload{
		file: p.file, mime: p.MIME, name: p.Name, progress: p.progress,
	}, encrypted)
	if err != nil {
		return nil, err
	}
	return content, nil
}

// put uploads a file and returns where it is: in the clear or encrypted, never both.
func (r *Repository) put(
	ctx context.Context, u upload, encrypted bool,
) (id.ContentURIString, *event.EncryptedFileInfo, error) {
	if !encrypted {
		uri, _, err := r.store(ctx, u)
		return uri.CUString(), nil, err
	}
	secret := newSecret()
	u.secret = &secret
	uri, sum, err := r.store(ctx, u)
	if err != nil {
		return "", nil, err
	}
	return "", secret.info(uri, sum), nil
}

// info is what the message says of the file. What is not known is left out.
func (p *Prepared) info() *event.FileInfo {
	info := &event.FileInfo{
		MimeType: p.MIME, Size: int(p.Size), Duration: int(p.Duration.Milliseconds()),
		Blurhash: p.Blurhash, AnoaBlurhash: p.Blurhash,
	}
	if p.Kind == KindImage || p.Kind == KindVideo {
		info.Width, info.Height = p.Width, p.Height
	}
	if p.Kind == KindImage {
		info.IsAnimated = p.Animated
		info.Extra = map[string]any{unstableAnimated: p.Animated}
	}
	if thumbnail := p.Thumbnail; thumbnail != nil {
		info.ThumbnailInfo = &event.FileInfo{
			MimeType: thumbnail.MIME, Width: thumbnail.Width, Height: thumbnail.Height, Size: len(thumbnail.Data),
		}
	}
	return info
}

// Content prepares and uploads an attachment in one step; see [Attachment.Prepare] and [Prepared.Upload].
func (a *Attachment) Content(
	ctx context.Context, r *Repository, encrypted bool,
) (content *event.MessageEventContent, err error) {
	p, err := a.Prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return p.Upload(ctx, r, encrypted)
}
