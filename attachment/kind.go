package attachment

import (
	"strings"

	"maunium.net/go/mautrix/event"
)

// Kind is how clients show an attachment.
type Kind int

// The kinds. The zero value leaves the choice to the file's content.
const (
	KindAny   Kind = iota
	KindFile       // m.file, shown as a name to click on
	KindImage      // m.image
	KindAudio      // m.audio
	KindVideo      // m.video
	KindVoice      // m.audio with MSC3245, shown as a waveform
)

// String is the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case KindAny:
		return "any"
	case KindImage:
		return "image"
	case KindAudio:
		return "audio"
	case KindVideo:
		return "video"
	case KindVoice:
		return "voice"
	}
	return "file"
}

// MsgType is the msgtype of messages of that kind.
func (k Kind) MsgType() event.MessageType {
	switch k {
	case KindImage:
		return event.MsgImage
	case KindAudio, KindVoice:
		return event.MsgAudio
	case KindVideo:
		return event.MsgVideo
	}
	return event.MsgFile
}

// kindOf is the kind of what has that media type.
func kindOf(mime string) Kind {
	switch family, _, _ := strings.Cut(mime, "/"); family {
	case "image":
		return KindImage
	case "audio":
		return KindAudio
	case "video":
		return KindVideo
	}
	return KindFile
}
