package attachment

import (
	"fmt"
	"math"
	"mime"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Info is what a message says of its file. All of it is the sender's word, and none of it need be true.
type Info struct {
	Kind          Kind
	Name          string // Clean, see [CleanName]; never empty
	Caption       string // Plain text; empty without one
	CaptionHTML   string // As it came
	MIME          string // In lower case, without parameters; application/octet-stream if there is none
	Size          int64  // In bytes; 0 if it is not said
	Width, Height int    // In pixels; 0 if they are not said
	Duration      time.Duration
	Animated      bool // MSC4230
	Blurhash      string
	Waveform      []int // Of voice messages, each from 0 to 1024 (MSC3246)
	Encrypted     bool
	URI           id.ContentURI
	HasThumbnail  bool
}

const (
	maxDuration = 1000 * time.Hour // What is longer is not believed
	maxWaveform = 1000             // Samples of a received voice message
)

// Parse reads what a message says of its file. The error is [ErrNoMedia] for messages without one.
func Parse(content *event.MessageEventContent) (Info, error) {
	var info Info
	uri, encrypted, err := location(content.URL, content.File)
	if err != nil {
		return info, err
	}
	info.URI, info.Encrypted = uri, encrypted
	info.MIME = "application/octet-stream"
	if said := content.Info; said != nil {
		info.readFile(said)
	}
	info.Kind = kindOfMessage(content, info.MIME)
	info.Name = CleanName(content.GetFileName())
	if info.Name == "" {
		info.Name = nameFor(info.Kind, info.MIME)
	}
	info.Caption, info.CaptionHTML = content.GetCaption(), ""
	if info.Caption != "" {
		info.CaptionHTML = content.GetFormattedCaption()
	}
	if audio := content.MSC1767Audio; audio != nil {
		if info.Duration == 0 {
			info.Duration = duration(audio.Duration)
		}
		for _, level := range audio.Waveform[:min(len(audio.Waveform), maxWaveform)] {
			info.Waveform = append(info.Waveform, max(0, min(level, waveformMax)))
		}
	}
	return info, nil
}

func (i *Info) readFile(said *event.FileInfo) {
	if bare, _, err := mime.ParseMediaType(said.MimeType); err == nil && strings.Contains(bare, "/") {
		i.MIME = bare
	}
	i.Size = int64(max(0, said.Size))
	i.Width, i.Height = max(0, min(said.Width, math.MaxInt32)), max(0, min(said.Height, math.MaxInt32))
	i.Duration = duration(said.Duration)
	i.Blurhash = said.Blurhash
	if i.Blurhash == "" {
		i.Blurhash = said.AnoaBlurhash
	}
	unstable, _ := said.Extra[unstableAnimated].(bool)
	i.Animated = said.IsAnimated || unstable
	_, _, err := location(said.ThumbnailURL, said.ThumbnailFile)
	i.HasThumbnail = err == nil
}

// duration is that many milliseconds, or none if that can't be.
func duration(ms int) time.Duration {
	if ms < 0 || ms > int(maxDuration/time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// location is where a file is. An encrypted one has no other place beside it: the plain URL would be somebody's guess.
func location(url id.ContentURIString, file *event.EncryptedFileInfo) (uri id.ContentURI, encrypted bool, err error) {
	if file != nil {
		url, encrypted = file.URL, true
	}
	if url == "" {
		return uri, encrypted, ErrNoMedia
	}
	uri, err = url.Parse()
	if err != nil || uri.IsEmpty() || !isMediaID(uri.FileID) || strings.ContainsAny(uri.Homeserver, "/?#@% ") {
		return id.ContentURI{}, encrypted, fmt.Errorf("%w: %q is no mxc URI", ErrNoMedia, cut(string(url), 100))
	}
	return uri, encrypted, nil
}

// isMediaID tells whether a media id is of the characters that the spec allows, so that it can't lead to other paths.
func isMediaID(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return s != ""
}

func kindOfMessage(content *event.MessageEventContent, mime string) Kind {
	switch content.MsgType {
	case event.MsgImage:
		return KindImage
	case event.MsgVideo:
		return KindVideo
	case event.MsgAudio:
		if content.MSC3245Voice != nil {
			return KindVoice
		}
		return KindAudio
	case event.MsgFile:
		return KindFile
	}
	// Stickers have no msgtype.
	return kindOf(mime)
}
