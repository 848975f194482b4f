package probe

import "slices"

// What can be shown instead.
const (
	remedyImage = "; JPEG, PNG and WebP are shown everywhere"
	remedyAudio = "; Opus in Ogg, MP3 and AAC are played everywhere"
	remedyVideo = "; MP4 with H.264 and AAC is played everywhere"
)

// shown are the types of files that the current browsers show, as far as their codecs allow it.
var shown = []string{
	"image/jpeg", "image/png", "image/apng", "image/gif", "image/webp", "image/avif", "image/bmp", "image/svg+xml",
	"image/x-icon",
	"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/webm", "audio/flac", "audio/wav",
	"video/mp4", "video/quicktime", "video/webm", "video/ogg",
}

// decoded are the codecs that they play.
var decoded = []string{
	"h264", "vp8", "vp9", "av1",
	"aac", "mp3", "opus", "vorbis", "flac", "pcm", "pcm_alaw", "pcm_mulaw",
}

// reasons name what people meet most often. All else is told by its type or codec alone.
var reasons = map[string]string{
	"image/heic":          "only Safari shows HEIC pictures",
	"image/heic-sequence": "only Safari shows HEIC pictures",
	"image/heif":          "only Safari shows HEIF pictures",
	"image/tiff":          "only Safari shows TIFF pictures",
	"image/jxl":           "few browsers show JPEG XL pictures",
	"audio/x-matroska":    "many browsers can't play Matroska files",
	"video/x-matroska":    "many browsers can't play Matroska files",
	"video/x-msvideo":     "browsers can't play AVI files",
	"video/mp2t":          "most browsers can't play MPEG transport streams",
	"hevc":                "many browsers can't play HEVC (H.265) video",
	"theora":              "most browsers no longer play Theora video",
	"mpeg4":               "browsers can't play MPEG-4 Part 2 (DivX, Xvid) video",
	"prores":              "browsers can't play ProRes video",
	"ac3":                 "most browsers can't play Dolby Digital (AC-3) sound",
	"eac3":                "most browsers can't play Dolby Digital Plus (E-AC-3) sound",
	"dts":                 "browsers can't play DTS sound",
	"alac":                "only Safari plays ALAC sound",
	"encrypted":           "it is protected against copying",
}

// warning says what speaks against a file, if anything: its type, or else the first codec that does.
func warning(info *Info) string {
	remedy, verb := "", "play"
	switch info.Kind {
	case Image:
		remedy, verb = remedyImage, "show"
	case Audio:
		remedy = remedyAudio
	case Video:
		remedy = remedyVideo
	default:
		return ""
	}
	if !slices.Contains(shown, info.MIME) {
		return reason(info.MIME, "browsers can't "+verb+" files of type ") + remedy
	}
	if info.Kind == Image {
		return "" // The type says it all: what holds AV1 is AVIF
	}
	for _, codec := range info.Codecs {
		if !slices.Contains(decoded, codec) {
			return reason(codec, "browsers can't play the codec ") + remedy
		}
	}
	return ""
}

func reason(name, otherwise string) string {
	if text, ok := reasons[name]; ok {
		return text
	}
	return otherwise + name
}
