package probe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// made is a file that ffmpeg makes at the time of the test, two seconds long: of a tone, of a picture, or of both.
type made struct {
	name string
	mime string
	args string // What ffmpeg is asked for, parted by spaces
}

const (
	h264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "
	vp8  = "-c:v libvpx -deadline realtime -b:v 200k "
)

// sounds are made of a tone of 44,100 Hz.
var sounds = []made{
	{"constant.mp3", "audio/mpeg", "-c:a libmp3lame -b:a 96k"},
	{"variable.mp3", "audio/mpeg", "-c:a libmp3lame -q:a 4"},
	{"bare-constant.mp3", "audio/mpeg", "-c:a libmp3lame -b:a 96k -write_xing 0"},
	{"bare-variable.mp3", "audio/mpeg", "-c:a libmp3lame -q:a 4 -write_xing 0"},
	{"untagged.mp3", "audio/mpeg", "-c:a libmp3lame -b:a 96k -id3v2_version 0 -write_xing 0"},
	{"old-tag.mp3", "audio/mpeg", "-c:a libmp3lame -write_id3v1 1 -metadata title=a"},
	{"low.mp3", "audio/mpeg", "-ar 22050 -c:a libmp3lame -b:a 32k"},
	{"lowest.mp3", "audio/mpeg", "-ar 8000 -ac 1 -c:a libmp3lame -b:a 16k"},
	{"stereo.mp3", "audio/mpeg", "-ar 48000 -ac 2 -c:a libmp3lame -b:a 320k"},
	{"layer2.mp3", "audio/mpeg", "-c:a mp2 -f mp2"},
	{"vorbis.ogg", "audio/ogg", "-c:a libvorbis"},
	{"opus.ogg", "audio/ogg", "-c:a libopus"},
	{"long-frames.opus", "audio/ogg", "-c:a libopus -frame_duration 60"},
	{"short-frames.opus", "audio/ogg", "-c:a libopus -frame_duration 2.5"},
	{"low.opus", "audio/ogg", "-ar 16000 -ac 1 -c:a libopus"},
	{"flac.ogg", "audio/ogg", "-c:a flac"},
	{"speex.ogg", "audio/ogg", "-ar 16000 -ac 1 -c:a libspeex"},
	{"16.flac", "audio/flac", "-c:a flac"},
	{"24.flac", "audio/flac", "-ar 96000 -ac 2 -sample_fmt s32 -c:a flac"},
	{"tagged.flac", "audio/flac", "-c:a flac -metadata title=a -metadata artist=b"},
	{"8.wav", "audio/wav", "-c:a pcm_u8"},
	{"16.wav", "audio/wav", "-c:a pcm_s16le"},
	{"24.wav", "audio/wav", "-c:a pcm_s24le"},
	{"32.wav", "audio/wav", "-c:a pcm_s32le"},
	{"float.wav", "audio/wav", "-c:a pcm_f32le"},
	{"double.wav", "audio/wav", "-c:a pcm_f64le"},
	{"surround.wav", "audio/wav", "-ac 6 -c:a pcm_s24le"}, // Extensible
	{"alaw.wav", "audio/wav", "-ar 8000 -c:a pcm_alaw"},
	{"adpcm.wav", "audio/wav", "-c:a adpcm_ms"},
	{"ima.wav", "audio/wav", "-c:a adpcm_ima_wav"},
	{"large.wav", "audio/wav", "-c:a pcm_s16le -rf64 always"},
	{"tagged.wav", "audio/wav", "-c:a pcm_s16le -metadata title=abc -write_bext 1"},
	{"low.aac", "audio/aac", "-ar 22050 -ac 1 -c:a aac -f adts"},
	{"high.aac", "audio/aac", "-ar 48000 -ac 2 -c:a aac -f adts"},
	{"aac.m4a", "audio/mp4", "-c:a aac"},
	{"alac.m4a", "audio/mp4", "-c:a alac"},
	{"aac.mp4", "audio/mp4", "-c:a aac -movflags faststart"},
	{"opus.mp4", "audio/mp4", "-c:a libopus"},
	{"flac.mp4", "audio/mp4", "-c:a flac -strict -2"},
	{"pieces.m4a", "audio/mp4", "-c:a aac -f mp4 -movflags frag_keyframe+empty_moov -frag_duration 500000"},
	{"aac.mov", "audio/mp4", "-c:a aac"},
	{"pcm.mov", "audio/mp4", "-c:a pcm_s16le"},
	{"opus.webm", "audio/webm", "-c:a libopus"},
	{"vorbis.webm", "audio/webm", "-c:a libvorbis"},
	{"live.webm", "audio/webm", "-c:a libopus -live 1"},
	{"aac.mka", "audio/x-matroska", "-c:a aac"},
	{"tone.aiff", "audio/aiff", "-c:a pcm_s16be"},
	{"tone.au", "audio/basic", "-c:a pcm_s16be"},
	{"tone.caf", "audio/x-caf", "-c:a pcm_s16le"},
}

// films are made of a picture of 320 by 180 pixels, 25 times a second, and of the tone.
var films = []made{
	{"late.mp4", "video/mp4", h264 + "-c:a aac"},
	{"fast.mp4", "video/mp4", h264 + "-c:a aac -movflags faststart"},
	{"pieces.mp4", "video/mp4", h264 + "-g 10 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof"},
	{"one-by-one.mp4", "video/mp4", h264 + "-an -movflags frag_every_frame+empty_moov"},
	{"indexed.mp4", "video/mp4", h264 + "-g 10 -c:a aac -movflags dash+global_sidx+frag_keyframe"},
	{"mute.mp4", "video/mp4", h264 + "-an"},
	{"frames-b.mp4", "video/mp4", "-c:v libx264 -bf 3 -pix_fmt yuv420p -c:a aac"},
	{"hevc.mp4", "video/mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a aac"},
	{"av1.mp4", "video/mp4", "-c:v libaom-av1 -cpu-used 8 -frames:v 50 -c:a libopus"},
	{"vp9.mp4", "video/mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"},
	{"mpeg4.mp4", "video/mp4", "-c:v mpeg4 -c:a libmp3lame"},
	{"odd.mp4", "video/mp4", "-vf scale=321:181 -c:v libx264 -preset ultrafast -pix_fmt yuv444p -an"},
	{"ratio.mp4", "video/mp4", "-vf setsar=4/3 " + h264 + "-an"},
	{"two.mp4", "video/mp4", "-map 0:v -map 0:v -map 1:a -map 1:a " + h264 + "-s:v:1 160x90 -c:a aac"},
	{"one-frame.mp4", "video/mp4", "-frames:v 1 " + h264 + "-an"},
	{"phone.3gp", "video/3gpp", "-s 352x288 -c:v h263 -an"},
	{"late.mov", "video/quicktime", h264 + "-c:a aac"},
	{"pcm.mov", "video/quicktime", h264 + "-c:a pcm_s16le"},
	{"prores.mov", "video/quicktime", "-c:v prores_ks -an"},
	{"motion.mov", "video/quicktime", "-c:v mjpeg -c:a pcm_s16le"},
	{"pieces.mov", "video/quicktime", h264 + "-g 10 -c:a aac -movflags frag_keyframe+empty_moov"},
	{"vp8.webm", "video/webm", vp8 + "-c:a libvorbis"},
	{"vp9.webm", "video/webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"},
	{"mute.webm", "video/webm", vp8 + "-an"},
	{"live.webm", "video/webm", vp8 + "-c:a libopus -live 1"},
	{"mute-live.webm", "video/webm", vp8 + "-an -live 1"},
	{"clear.webm", "video/webm", "-pix_fmt yuva420p " + vp8 + "-auto-alt-ref 0 -an"},
	{"odd.webm", "video/webm", "-vf scale=321:181 " + vp8 + "-an"},
	{"ratio.webm", "video/webm", "-vf setsar=4/3 " + vp8 + "-an"},
	{"h264.mkv", "video/x-matroska", h264 + "-c:a aac"},
	{"mpeg2.mkv", "video/x-matroska", "-c:v mpeg2video -c:a ac3"},
	{"ratio.mkv", "video/x-matroska", "-vf setsar=4/3 " + h264 + "-an"},
	{"live.mkv", "video/x-matroska", h264 + "-c:a flac -live 1"},
	{"two.mkv", "video/x-matroska", "-map 0:v -map 1:a -map 1:a " + h264 + "-c:a:0 aac -c:a:1 libopus"},
	{"theora.ogv", "video/ogg", "-c:v libtheora -c:a libvorbis"},
	{"mute.ogv", "video/ogg", "-c:v libtheora -an"},
	{"mpeg4.avi", "video/x-msvideo", "-c:v mpeg4 -c:a libmp3lame"},
	{"h263.flv", "video/x-flv", "-c:v flv -c:a libmp3lame"},
	{"mpeg1.mpg", "video/mpeg", "-c:v mpeg1video -c:a mp2"},
	{"h264.ts", "video/mp2t", h264 + "-c:a aac"},
	{"wmv2.wmv", "video/x-ms-asf", "-c:v wmv2 -c:a wmav2"},
}

// run starts a program of the test, and gives what it prints.
func run(t *testing.T, program string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Logf("%s %q: %s", program, args, complaint.Bytes())
	}
	return out, err
}

// said is what ffprobe says of a file.
type said struct {
	width, height int // As it is shown
	duration      time.Duration
	codecs        []string
}

func askFFprobe(t *testing.T, program, path string) said {
	t.Helper()
	out, err := run(t, program, "-v", "error", "-of", "json", "-show_entries",
		"format=duration:stream=codec_type,codec_name,width,height,sample_aspect_ratio", path)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Format  struct{ Duration string }
		Streams []struct {
			Kind   string `json:"codec_type"`
			Codec  string `json:"codec_name"`
			Width  int
			Height int
			Ratio  string `json:"sample_aspect_ratio"`
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	var says said
	for _, stream := range answer.Streams {
		codec := stream.Codec
		if strings.HasPrefix(codec, "pcm_") && codec != "pcm_alaw" {
			codec = "pcm"
		}
		if !slices.Contains(says.codecs, codec) {
			says.codecs = append(says.codecs, codec)
		}
		if stream.Kind == "video" && says.width == 0 {
			says.width, says.height = stream.Width, stream.Height
			if across, down, ok := strings.Cut(stream.Ratio, ":"); ok && across != "0" && across != down {
				a, _ := strconv.Atoi(across)
				d, _ := strconv.Atoi(down)
				says.width = (stream.Width*a + d/2) / d
			}
		}
	}
	if seconds, err := strconv.ParseFloat(answer.Format.Duration, 64); err == nil {
		says.duration = time.Duration(seconds * float64(time.Second))
	}
	return says
}

// helped are the types that are known by name, and of which ffprobe tells the rest.
var helped = []string{
	"audio/aiff", "audio/basic", "audio/x-caf", "audio/amr",
	"video/x-msvideo", "video/x-flv", "video/mpeg", "video/mp2t", "video/x-ms-asf",
}

// TestAgainstFFmpeg has ffmpeg make a file of each kind, and ffprobe look at it.
func TestAgainstFFmpeg(t *testing.T) {
	ffmpeg, ffprobe := program(t, "ffmpeg", "FFmpeg"), program(t, "ffprobe", "FFmpeg")
	const tone = "-nostdin -v error -y -f lavfi -i sine=r=44100:d=2 "
	const film = "-nostdin -v error -y -f lavfi -i testsrc=s=320x180:r=25:d=2 -f lavfi -i sine=r=44100:d=2 "
	dir := t.TempDir()
	check := func(m made, kind probe.Kind, input string) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, m.name)
			if _, err := run(t, ffmpeg, append(strings.Fields(input+m.args), path)...); err != nil {
				t.Skipf("SKIPPED: this ffmpeg can't make it: %v", err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			says := askFFprobe(t, ffprobe, path)
			var opts []probe.Option
			if slices.Contains(helped, m.mime) {
				opts = append(opts, probe.WithFFprobe(probe.FFprobe{Program: ffprobe, Path: path}))
			}
			info, err := probe.Read(t.Context(), bytes.NewReader(data), int64(len(data)), opts...)
			if err != nil || info.MIME != m.mime || info.Kind != kind || !slices.Equal(info.Codecs, says.codecs) {
				t.Errorf("got %+v and error %v, want %s with %q", info, err, m.mime, says.codecs)
			}
			// Sides that come of a ratio may be rounded either way.
			if abs(info.Width-says.width) > 1 || info.Height != says.height || (info.Orientation == 1) != (kind == probe.Video) {
				t.Errorf("got %d × %d, and ffprobe says %d × %d", info.Width, info.Height, says.width, says.height)
			}
			// ffprobe counts what fills the first and last frame of MP3, and has no length for recordings.
			const near = 50 * time.Millisecond
			if (info.Duration-says.duration).Abs() > near && info.Duration.Round(5*time.Millisecond) != 2*time.Second {
				t.Errorf("it lasts %v, and ffprobe says %v", info.Duration, says.duration)
			}
		})
	}
	for _, m := range sounds {
		check(m, probe.Audio, tone)
	}
	for _, m := range films {
		check(m, probe.Video, film)
	}
}

func abs(n int) int { return max(n, -n) }
