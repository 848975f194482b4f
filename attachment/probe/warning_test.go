package probe_test

import (
	"strings"
	"testing"

	"github.com/niobot/niobot/attachment/probe"
)

// TestWarnings looks at samples by name: a warning names what is wrong, and the rest has none.
func TestWarnings(t *testing.T) {
	want := map[string]string{
		"little.tiff": "TIFF", "turned.tiff": "TIFF", "picture.jxl": "JPEG XL",
		"plain.heic": "HEIC", "phone.heic": "HEIC", "mif1.heic": "HEIC", "cropped.heic": "HEIC",
		"film.mkv": "Matroska", "ratio.mkv": "Matroska", "song.mka": "Matroska",
		"phone.3gp": "video/3gpp", "silent.ogv": "Theora", "voice.spx": "speex", "adpcm.wav": "adpcm_ima_wav",
		"live.ts": "transport streams", "sound.caf": "play files of type audio/x-caf",
	}
	found := 0
	for _, s := range samples() {
		info, _ := read(t, s.data)
		reason, ok := want[s.name]
		switch {
		case ok && (!strings.Contains(info.Warning, reason) || !strings.Contains(info.Warning, "; ")):
			t.Errorf("%s: warning %q, want one of %q and what would do", s.name, info.Warning, reason)
		case !ok && info.Warning != "":
			t.Errorf("%s: warning %q, want none", s.name, info.Warning)
		case ok:
			found++
		}
	}
	if found != len(want) {
		t.Errorf("%d warnings, want %d", found, len(want))
	}
}

func TestCodecsInGoodContainersAreWarnedOf(t *testing.T) {
	for codec, want := range map[string]string{
		"hvc1": "HEVC", "hev1": "HEVC", "mp4v": "MPEG-4 Part 2", "apch": "ProRes", "encv": "protected", "zzzz": "zzzz",
		"avc1": "", "av01": "", "vp09": "",
	} {
		info, err := read(t, join(fileType("isom"), isoBox("moov", movieHeader(1, 1), videoTrack(1, codec, 8, 8, upright))))
		if err != nil || want == "" && info.Warning != "" || !strings.Contains(info.Warning, want) {
			t.Errorf("%s: warning %q and error %v, want one of %q", codec, info.Warning, err, want)
		}
	}
	for codec, want := range map[string]string{
		"ac-3": "AC-3", "ec-3": "E-AC-3", "alac": "ALAC", "dtsc": "DTS", "Opus": "",
	} {
		info, err := read(t, join(fileType("isom"), isoBox("moov", movieHeader(1, 1),
			videoTrack(1, "avc1", 8, 8, upright), soundTrack(2, codec))))
		if err != nil || want == "" && info.Warning != "" || !strings.Contains(info.Warning, want) {
			t.Errorf("%s: warning %q and error %v, want one of %q", codec, info.Warning, err, want)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[probe.Kind]string{
		probe.File: "file", probe.Image: "image", probe.Audio: "audio", probe.Video: "video",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is %q, want %q", kind, got, want)
		}
	}
}
