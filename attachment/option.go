package attachment

// Progress is told how much of a file was transferred, in bytes. total is -1 where the size is not known. It is called
// often and from the transfer's goroutine, so that it should return at once. An attempt that is repeated may begin
// again at 0.
type Progress func(done, total int64)

// Option changes an [Attachment].
type Option func(*Attachment)

// Caption is shown below the file (spec: Client-Server API, "Media captions").
func Caption(text string) Option { return func(a *Attachment) { a.caption = text } }

// FormattedCaption is a caption as plain text and as HTML, which is sent as it is. Package render makes both.
func FormattedCaption(text, html string) Option {
	return func(a *Attachment) { a.caption, a.captionHTML = text, html }
}

// Name is the name that the file is shown with; see [CleanName]. Without it, it is the source's.
func Name(name string) Option { return func(a *Attachment) { a.name = name } }

// MIME is the media type that the message says. Without it, it is found from the file's content.
func MIME(mime string) Option { return func(a *Attachment) { a.mime = mime } }

// NoThumbnail leaves out the thumbnail.
func NoThumbnail() Option { return func(a *Attachment) { a.noThumbnail = true } }

// NoBlurhash leaves out the blurhash.
func NoBlurhash() Option { return func(a *Attachment) { a.noBlurhash = true } }

// OnProgress sets a function that follows the upload of the file.
func OnProgress(progress Progress) Option { return func(a *Attachment) { a.progress = progress } }
