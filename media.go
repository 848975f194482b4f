package niobot

import (
	"context"

	"maunium.net/go/mautrix"

	"github.com/niobot/niobot/attachment"
)

// WithAttachments sets how files are sent and received: the limits of downloads and pictures, the folder of temporary
// files, where ffmpeg is; see [attachment.RepositoryOption]. Later calls add to earlier ones.
func WithAttachments(opts ...attachment.RepositoryOption) Option {
	return func(s *settings) {
		for _, opt := range opts {
			if opt == nil {
				s.wrong("WithAttachments", "an option is nil")
				return
			}
		}
		s.attachments = append(s.attachments, opts...)
	}
}

// OnUnplayable calls f when a file is about to be sent that browsers can't show or play, such as a video in H.265 or a
// picture in HEIC: [attachment.Prepared.Warning] says why, and what would help. The file is sent all the same, and a line
// is logged. See [Bot.OnStart].
func (b *Bot) OnUnplayable(f func(ctx context.Context, p *attachment.Prepared)) (remove func()) {
	return addHook(&b.hooks.unplayable, "OnUnplayable", f, f == nil)
}

// Repository connects and returns the media repository of the bot's homeserver, for what [Attach] and [Bot.Download] do
// not do: files that no message of a room holds, such as avatars.
func (b *Bot) Repository(ctx context.Context) (*attachment.Repository, error) {
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	return b.files, nil
}

// newRepository is the media repository behind a client, with what the bot adds to it.
func (b *Bot) newRepository(client *mautrix.Client) *attachment.Repository {
	warn := func(ctx context.Context, p *attachment.Prepared) {
		tell(ctx, &b.hooks, "OnUnplayable", &b.hooks.unplayable,
			func(ctx context.Context, f func(context.Context, *attachment.Prepared)) { f(ctx, p) })
	}
	own := []attachment.RepositoryOption{
		attachment.WithLogger(b.log), attachment.WithRetry(retryTransfer), attachment.WithWarning(warn),
	}
	return attachment.NewRepository(client, append(own, b.settings.attachments...)...)
}

// retryTransfer is retry without a limit to the time of an attempt: transfers end by themselves when nothing moves.
func retryTransfer(ctx context.Context, f func(ctx context.Context) error) error {
	var b backoff
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		if err == nil || ctx.Err() != nil || attempt == maxAttempts {
			return err
		}
		wait, again := retryWait(err, &b)
		if !again || sleep(ctx, wait) != nil {
			return err
		}
	}
}
