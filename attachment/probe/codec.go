package probe

import "strings"

// entries are the codecs of MP4's sample entries and HEIF's items, by the names that ffmpeg has for them.
var entries = map[string]string{
	"avc1": "h264", "avc2": "h264", "avc3": "h264", "avc4": "h264", "hvc1": "hevc", "hev1": "hevc",
	"dvh1": "hevc", "dvhe": "hevc", "vvc1": "vvc", "vvi1": "vvc", "av01": "av1", "vp08": "vp8", "vp09": "vp9",
	"mp4v": "mpeg4", "s263": "h263", "h263": "h263", "H263": "h263", "jpeg": "mjpeg", "mjpa": "mjpeg", "mjp2": "jpeg2000",
	"apch": "prores", "apcn": "prores", "apcs": "prores", "apco": "prores", "ap4h": "prores", "ap4x": "prores",
	"mp4a": "aac", "Opus": "opus", "fLaC": "flac", "alac": "alac", "ac-3": "ac3", "ec-3": "eac3", "ac-4": "ac4",
	".mp3": "mp3", "mp3 ": "mp3", "samr": "amr_nb", "sawb": "amr_wb", "dtsc": "dts", "dtse": "dts", "dtsh": "dts",
	"dtsl": "dts", "lpcm": "pcm", "ipcm": "pcm", "fpcm": "pcm", "sowt": "pcm", "twos": "pcm", "in24": "pcm",
	"in32": "pcm", "fl32": "pcm", "fl64": "pcm", "raw ": "pcm", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw",
	"encv": "encrypted", "enca": "encrypted",
}

// codecOfEntry names the codec of a four-character code. One that isn't known stands for itself.
func codecOfEntry(code string) string {
	if name, ok := entries[code]; ok {
		return name
	}
	return strings.ToLower(strings.TrimSpace(printable(code)))
}

// matroskaCodecs are the codecs of Matroska by the beginnings of their ids; the first that fits counts (RFC 9559,
// section 12, and the codec registry).
var matroskaCodecs = []struct{ prefix, name string }{
	{"V_VP8", "vp8"}, {"V_VP9", "vp9"}, {"V_AV1", "av1"}, {"V_MPEG4/ISO/AVC", "h264"}, {"V_MPEGH/ISO/HEVC", "hevc"},
	{"V_MPEGI/ISO/VVC", "vvc"}, {"V_MPEG4", "mpeg4"}, {"V_MPEG2", "mpeg2video"}, {"V_MPEG1", "mpeg1video"},
	{"V_THEORA", "theora"}, {"V_MJPEG", "mjpeg"}, {"V_PRORES", "prores"}, {"V_FFV1", "ffv1"},
	{"A_OPUS", "opus"}, {"A_VORBIS", "vorbis"}, {"A_AAC", "aac"}, {"A_MPEG/L3", "mp3"}, {"A_MPEG/L2", "mp2"},
	{"A_EAC3", "eac3"}, {"A_AC3", "ac3"}, {"A_DTS", "dts"}, {"A_TRUEHD", "truehd"}, {"A_FLAC", "flac"},
	{"A_ALAC", "alac"}, {"A_PCM", "pcm"},
}

// codecOfTrack names the codec of a Matroska track.
func codecOfTrack(id string) string {
	for _, c := range matroskaCodecs {
		if strings.HasPrefix(id, c.prefix) {
			return c.name
		}
	}
	_, name, ok := strings.Cut(id, "_")
	if !ok {
		name = id
	}
	name = name[:min(len(name), 16)]
	return strings.ToLower(printable(name))
}

// codecOfFFprobe names the codec that ffprobe names: plain samples are one, whatever their layout is.
func codecOfFFprobe(name string) string {
	if strings.HasPrefix(name, "pcm_") && name != "pcm_alaw" && name != "pcm_mulaw" {
		return "pcm"
	}
	return name
}
