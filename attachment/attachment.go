package attachment

// Attachment is a file that is to be sent, and how. It does nothing until it is prepared, may be sent many times, and
// is safe for concurrent use.
type Attachment struct {
	source                  Source
	kind                    Kind
	name, mime              string
	caption, captionHTML    string
	noThumbnail, noBlurhash bool
	progress                Progress
}

// Of is a file that is shown as its content asks for: pictures as pictures, and so on.
func Of(source Source, opts ...Option) *Attachment { return made(KindAny, source, opts) }

// File is a file that is shown as its name, even if it is a picture.
func File(source Source, opts ...Option) *Attachment { return made(KindFile, source, opts) }

// Image is a file that is shown as a picture.
func Image(source Source, opts ...Option) *Attachment { return made(KindImage, source, opts) }

// Audio is a file that is shown with a player of sounds.
func Audio(source Source, opts ...Option) *Attachment { return made(KindAudio, source, opts) }

// Video is a file that is shown with a player of videos.
func Video(source Source, opts ...Option) *Attachment { return made(KindVideo, source, opts) }

// Voice is a recording that is shown as a voice message (MSC3245). What is not Opus in Ogg is converted by ffmpeg;
// where that is not installed, preparing ends in [ErrNoTool].
func Voice(source Source, opts ...Option) *Attachment { return made(KindVoice, source, opts) }

func made(kind Kind, source Source, opts []Option) *Attachment {
	a := &Attachment{source: source, kind: kind}
	for _, opt := range opts {
		opt(a)
	}
	return a
}
