package attachment_test

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/jpeg" // For thumbnails
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "golang.org/x/image/webp" // For thumbnails

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/attachment/probe"
	"github.com/niobot/niobot/internal/fakehs"
)

// isFlag checks that a thumbnail shows the flag upright.
func isFlag(t *testing.T, thumbnail *attachment.Thumbnail) {
	t.Helper()
	if thumbnail == nil {
		t.Error("there is no thumbnail")
		return
	}
	picture, _, err := image.Decode(bytes.NewReader(thumbnail.Data))
	if err != nil {
		t.Error(err)
		return
	}
	size := picture.Bounds().Size()
	if size != image.Pt(thumbnail.Width, thumbnail.Height) {
		t.Errorf("the thumbnail is %v and says %d × %d", size, thumbnail.Width, thumbnail.Height)
	}
	at := func(x, y int) [3]bool {
		r, g, b, _ := picture.At(size.X*x/16, size.Y*y/16).RGBA()
		return [3]bool{r > 0x8000, g > 0x8000, b > 0x8000}
	}
	red, blue, white := [3]bool{true, false, false}, [3]bool{false, false, true}, [3]bool{true, true, true}
	if at(2, 2) != red || at(14, 2) != blue || at(2, 14) != white || at(14, 14) != white || at(8, 8) != white {
		t.Errorf("the thumbnail is not upright: %v %v %v %v", at(2, 2), at(14, 2), at(2, 14), at(14, 14))
	}
}

func TestFFmpegStill(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	wide := slices.Concat(film("360x288"), []string{"-vf", "setsar=64/45", "-c:v", "libx264", "-pix_fmt", "yuv420p"})
	for _, tt := range []struct {
		name                  string
		args                  []string
		width, height         int
		thumbWidth, thumbHigh int
	}{
		{"h264.mp4", append(film("640x360"), "-c:v", "libx264", "-pix_fmt", "yuv420p"), 640, 360, 640, 360},
		{"large.mp4", append(film("1920x1080"), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
			"-frames:v", "3"), 1920, 1080, 800, 450},
		{"high.mp4", append(film("360x1280"), "-c:v", "libx264", "-pix_fmt", "yuv420p"), 360, 1280, 169, 600},
		{"wide.mp4", wide, 512, 288, 512, 288},
		{"wide.mkv", wide, 512, 288, 512, 288},
		{"odd.webm", append(film("321x241"), "-c:v", "libvpx", "-deadline", "realtime"), 321, 241, 321, 241},
		{"vp9.webm", append(film("640x360"), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
			640, 360, 640, 360},
		{"mpeg4.mkv", append(film("640x360"), "-c:v", "mpeg4"), 640, 360, 640, 360},
		{"hevc.mov", append(film("640x360"), "-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"),
			640, 360, 640, 360},
		{"theora.ogv", append(film("640x360"), "-c:v", "libtheora"), 640, 360, 640, 360},
		{"mpeg4.avi", append(film("640x360"), "-c:v", "mpeg4"), 640, 360, 640, 360},
		{"flash.flv", append(film("640x360"), "-c:v", "flv"), 640, 360, 640, 360},
		{"mpeg2.mpg", append(film("640x360"), "-c:v", "mpeg2video"), 640, 360, 640, 360},
		{"h264.ts", append(film("640x360"), "-c:v", "libx264", "-pix_fmt", "yuv420p"), 640, 360, 640, 360},
		{"wmv2.wmv", append(film("640x360"), "-c:v", "wmv2"), 640, 360, 640, 360},
		{"fragments.mp4", append(film("640x360"), "-c:v", "libx264", "-pix_fmt", "yuv420p",
			"-movflags", "frag_keyframe+empty_moov"), 640, 360, 640, 360},
		{"picture.avif", append(film("1280x720"), "-c:v", "libaom-av1", "-cpu-used", "8", "-still-picture", "1",
			"-frames:v", "1", "-pix_fmt", "yuv420p"), 1280, 720, 800, 450},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := studio{t, s.program, s.dir}
			path := s.make(tt.name, tt.args...)
			for _, source := range []attachment.Source{
				attachment.Path(path), attachment.Bytes(tt.name, s.read(path)),
			} {
				p := must(attachment.Of(source).Prepare(deadline(t), h.repo))(t)
				defer p.Close()
				isFlag(t, p.Thumbnail)
				if p.Thumbnail == nil || p.Thumbnail.Width != tt.thumbWidth || p.Thumbnail.Height != tt.thumbHigh ||
					p.Width != tt.width || p.Height != tt.height || len(p.Blurhash) != 28 {
					t.Errorf("got %+v", p)
				}
			}
		})
	}
}

// Pictures of other encoders than the tests' own. They are decoded without ffmpeg.
func TestPicturesOfFFmpeg(t *testing.T) {
	s := newStudio(t)
	h := newHome(t, fakehs.Options{})
	// A frame like the one before is left out by some encoders.
	const spot = "drawbox=600:300:80:80:green:t=fill:enable='eq(n,1)'"
	moving := []string{"-vf", spot, "-frames:v", "3"}
	clear := []string{"-vf", spot + ",format=yuva420p,colorchannelmixer=aa=0.9", "-frames:v"}
	for _, tt := range []struct {
		name     string
		args     []string
		animated bool
		mime     string // Of the thumbnail
	}{
		{"still.png", []string{"-frames:v", "1"}, false, ""},
		{"moving.apng", moving, true, ""},
		{"moving.gif", moving, true, ""},
		{"still.jpg", []string{"-frames:v", "1", "-pix_fmt", "yuvj422p"}, false, "image/jpeg"},
		{"still.bmp", []string{"-frames:v", "1"}, false, ""},
		{"still.tiff", []string{"-frames:v", "1", "-pix_fmt", "rgb24"}, false, ""},
		{"lossy.webp", []string{"-frames:v", "1", "-c:v", "libwebp"}, false, ""},
		{"lossless.webp", []string{"-frames:v", "1", "-c:v", "libwebp", "-lossless", "1"}, false, ""},
		{"clear.webp", append(clear, "1", "-c:v", "libwebp"), false, "image/webp"},
		{"moving.webp", append(moving, "-c:v", "libwebp_anim"), true, ""},
		{"moving-lossless.webp", append(moving, "-c:v", "libwebp_anim", "-lossless", "1"), true, ""},
		{"moving-clear.webp", append(clear, "3", "-c:v", "libwebp_anim"), true, "image/webp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := studio{t, s.program, s.dir}
			path := s.make(tt.name, append(film("1280x720"), tt.args...)...)
			p := must(attachment.Of(attachment.Path(path)).Prepare(deadline(t), h.repo))(t)
			defer p.Close()
			isFlag(t, p.Thumbnail)
			if p.Kind != attachment.KindImage || p.Width != 1280 || p.Height != 720 || p.Animated != tt.animated ||
				len(p.Blurhash) != 28 || p.Thumbnail == nil || p.Thumbnail.Width != 800 || p.Thumbnail.Height != 450 ||
				tt.mime != "" && p.Thumbnail.MIME != tt.mime {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// What turns a video is in the header of its track. Versions of ffmpeg differ in what of it they apply.
func TestFFmpegStillOfATurnedVideo(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	// What a camera stores is turned back: the inverse of 6 is 8, each other is its own.
	stored := [9]string{1: "null", 2: "hflip", 3: "hflip,vflip", 4: "vflip", 5: "transpose=0", 6: "transpose=2",
		7: "transpose=3", 8: "transpose=1"}
	for _, name := range []string{"turned.mp4", "turned.mov"} {
		for orientation := 1; orientation <= 8; orientation++ {
			path := s.make(name, append(film("1280x720"), "-vf", stored[orientation], "-c:v", "libx264", "-preset", "ultrafast",
				"-frames:v", "2", "-pix_fmt", "yuv420p")...)
			data := turn(t, s.read(path), orientation)
			p := must(attachment.Of(attachment.Bytes(name, data)).Prepare(deadline(t), h.repo))(t)
			defer p.Close()
			isFlag(t, p.Thumbnail)
			if p.Width != 1280 || p.Height != 720 || p.Thumbnail == nil || p.Thumbnail.Width != 800 ||
				p.Thumbnail.Height != 450 {
				t.Errorf("%s, orientation %d: got %+v", name, orientation, p)
			}
		}
		// And one that stands on its end.
		path := s.make(name, append(film("1280x720"), "-c:v", "libx264", "-preset", "ultrafast", "-frames:v", "2")...)
		p := must(attachment.Of(attachment.Bytes(name, turn(t, s.read(path), 6))).Prepare(deadline(t), h.repo))(t)
		defer p.Close()
		if p.Width != 720 || p.Height != 1280 || p.Thumbnail == nil || p.Thumbnail.Width != 338 || p.Thumbnail.Height != 600 {
			t.Errorf("%s on its end: got %+v", name, p)
		}
	}
}

// The tests of package probe have pictures in AVIF, of which one is turned by a property, and one is transparent.
func TestFFmpegStillOfAVIF(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	prepared := func(name string) *attachment.Prepared {
		data := s.read(filepath.Join("probe", "testdata", name))
		p := must(attachment.Of(attachment.Bytes(name, data)).Prepare(deadline(t), h.repo))(t)
		_ = p.Close()
		return p
	}
	plain, turned, clear := prepared("picture.avif"), prepared("turned.avif"), prepared("clear.avif")
	if plain.Thumbnail == nil || turned.Thumbnail == nil {
		t.Fatalf("got %+v and %+v", plain, turned)
	}
	if turned.Width != 30 || turned.Height != 50 || turned.Thumbnail.Width != 30 || turned.Thumbnail.Height != 50 {
		t.Errorf("got %+v", turned)
	}
	before, _, err := image.Decode(bytes.NewReader(plain.Thumbnail.Data))
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := image.Decode(bytes.NewReader(turned.Thumbnail.Data))
	if err != nil {
		t.Fatal(err)
	}
	for _, corner := range []image.Point{{5, 5}, {44, 5}, {5, 24}, {44, 24}} {
		r, g, b, _ := before.At(corner.X, corner.Y).RGBA()
		r2, g2, b2, _ := after.At(29-corner.Y, corner.X).RGBA() // A quarter clockwise
		for _, d := range []int{int(r) - int(r2), int(g) - int(g2), int(b) - int(b2)} {
			if d > 0x1800 || d < -0x1800 {
				t.Errorf("%v is %x %x %x, and turned %x %x %x", corner, r, g, b, r2, g2, b2)
			}
		}
	}
	if clear.Thumbnail != nil || clear.Blurhash == "" || clear.Width != 50 {
		t.Errorf("of a transparent one: got %+v", clear)
	}
}

// A picture that is larger than what ffmpeg finds in it is one of its tiles, and no thumbnail is better.
func TestFFmpegStillOfATile(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	data := s.read(s.make("tile.avif", append(film("640x360"), "-c:v", "libaom-av1", "-cpu-used", "8", "-still-picture", "1",
		"-frames:v", "1", "-pix_fmt", "yuv420p")...))
	at := bytes.Index(data, []byte("ispe"))
	if at < 0 {
		t.Fatal("the picture has no size")
	}
	copy(data[at+8:], "\x00\x00\x05\x00\x00\x00\x02\xd0") // 1280 × 720
	p := must(attachment.Of(attachment.Bytes("tile.avif", data)).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if p.Width != 1280 || p.Height != 720 || p.Thumbnail != nil || p.Blurhash != "" {
		t.Errorf("got %+v", p)
	}
}

func TestFFmpegVoice(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	secret := []string{"-metadata", "title=secret place", "-metadata", "comment=secret place"}
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"pcm.wav", []string{"-c:a", "pcm_s16le"}},
		{"float.wav", []string{"-c:a", "pcm_f32le"}},
		{"right.wav", []string{"-af", "pan=stereo|c1=c0", "-c:a", "pcm_s24le"}}, // Only the right channel has sound
		{"song.mp3", []string{"-c:a", "libmp3lame", "-q:a", "5"}},
		{"song.flac", []string{"-c:a", "flac"}},
		{"song.m4a", []string{"-c:a", "aac"}},
		{"song.aac", []string{"-c:a", "aac", "-f", "adts"}},
		{"aac.3gp", []string{"-c:a", "aac", "-f", "3gp"}},
		{"pcm.caf", []string{"-c:a", "pcm_s16le"}},
		{"pcm.au", []string{"-c:a", "pcm_s16be"}},
		{"pcm.aiff", []string{"-c:a", "pcm_s16be"}},
		{"vorbis.ogg", []string{"-c:a", "libvorbis"}},
		{"opus.webm", []string{"-c:a", "libopus"}},
		{"opus.mkv", []string{"-c:a", "libopus", "-ac", "2"}},
		{"opus.ogg", []string{"-c:a", "libopus"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := studio{t, s.program, s.dir}
			path := s.make(tt.name, slices.Concat(speech, secret, tt.args)...)
			p := must(attachment.Voice(attachment.Path(path)).Prepare(deadline(t), h.repo))(t)
			defer p.Close()
			content := must(p.Upload(deadline(t), h.repo, true))(t)
			data, info := read(t, h.repo, content)
			known, err := probe.Read(t.Context(), bytes.NewReader(data), int64(len(data)))
			if err != nil || known.MIME != "audio/ogg" || !slices.Equal(known.Codecs, []string{"opus"}) {
				t.Errorf("it became %+v, %v", known, err)
			}
			// The codec's frames have 20 ms; MP3 and AAC have those that fill the encoder in front, and not all say so.
			if off := (info.Duration - 3*time.Second).Abs(); off > 80*time.Millisecond ||
				(known.Duration-info.Duration).Abs() > time.Millisecond {
				t.Errorf("it lasts %v, and says %v", known.Duration, info.Duration)
			}
			quiet, loud := info.Waveform[:45*len(info.Waveform)/100], info.Waveform[55*len(info.Waveform)/100:]
			// The last may be that of some samples that fill a frame.
			if len(info.Waveform) < 30 || len(info.Waveform) > 120 || slices.Max(quiet) > 40 ||
				slices.Min(loud[:len(loud)-1]) < 900 || slices.Max(info.Waveform) != 1024 {
				t.Errorf("the waveform is %v", info.Waveform)
			}
			if tt.name == "opus.ogg" {
				if !bytes.Equal(data, s.read(path)) {
					t.Error("it was converted, though it was Opus in Ogg already")
				}
			} else if bytes.Contains(data, []byte("secret place")) {
				t.Error("it tells where it was recorded")
			}
		})
	}
}

func TestFFmpegOfWhatIsDamaged(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	film := slices.Concat(film("640x360"), speech, []string{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"})
	whole := s.read(s.make("whole.mp4", film...))
	early := s.read(s.make("early.mp4", append(film, "-movflags", "faststart")...))
	sound := s.read(s.make("sound.mp4", append(slices.Clone(speech), "-c:a", "aac")...))
	song := s.read(s.make("song.mp3", append(slices.Clone(speech), "-c:a", "libmp3lame")...))
	for _, tt := range []struct {
		name string
		file *attachment.Attachment
		kind attachment.Kind
		want bool
	}{
		{"cut behind its index", attachment.Of(attachment.Bytes("a.mp4", early[:len(early)/2])), attachment.KindVideo, true},
		{"cut before its index", attachment.Of(attachment.Bytes("a.mp4", whole[:len(whole)/2])), attachment.KindVideo, false},
		{"index alone", attachment.Of(attachment.Bytes("a.mp4", early[:bytes.Index(early, []byte("mdat"))])),
			attachment.KindVideo, false},
		{"sound alone", attachment.Of(attachment.Bytes("a.mp4", sound)), attachment.KindAudio, false},
		{"sound alone as a video", attachment.Video(attachment.Bytes("a.mp4", sound)), attachment.KindVideo, false},
		{"song as a video", attachment.Video(attachment.Bytes("a.mp3", song)), attachment.KindVideo, false},
		{"noise", attachment.Video(attachment.Bytes("a.mp4", mp4())), attachment.KindVideo, false},
	} {
		p := must(tt.file.Prepare(deadline(t), h.repo))(t)
		if p.Kind != tt.kind || (p.Thumbnail != nil) != tt.want || (p.Blurhash != "") != tt.want {
			t.Errorf("%s: got %+v", tt.name, p)
		}
		_ = p.Close()
	}
	p := must(attachment.Voice(attachment.Bytes("a.mp3", song[:len(song)*2/3])).Prepare(deadline(t), h.repo))(t)
	defer p.Close()
	if p.Duration < 1500*time.Millisecond || p.Duration > 2500*time.Millisecond || len(p.Waveform) == 0 {
		t.Errorf("of a song that is cut: got %+v", p)
	}
	_, err := attachment.Voice(attachment.Bytes("a.mp4", whole[:len(whole)/2])).Prepare(deadline(t), h.repo)
	if err == nil || !strings.Contains(err.Error(), "moov atom not found") {
		t.Errorf("of a film that is cut: got %v", err)
	}
}

// A name is a name, whatever it means on ffmpeg's command line.
func TestFFmpegTakesANameForNothingElse(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	data := s.read(s.make("film.mp4", append(film("640x360"), "-c:v", "libx264", "-pix_fmt", "yuv420p")...))
	t.Chdir(s.dir)
	for _, name := range []string{
		"-y", "-i", "-version.mp4", "concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4", "pipe:0", "%03d.png", "list.m3u8",
		"list.ffconcat", "data:text,a", "a b;c$(d)`e`'f\"g.mp4", "line\nbreak.mp4", "http:example.org", "file:a.mp4",
	} {
		s.write(name, data)
		p := must(attachment.Of(attachment.Path(name)).Prepare(deadline(t), h.repo))(t)
		isFlag(t, p.Thumbnail)
		_ = p.Close()
	}
}

// Playlists and drawings lead ffmpeg to other files and servers, if it is let.
func TestFFmpegFollowsNothing(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	other := s.make("secret.mp4", append(film("640x360"), "-c:v", "libx264", "-pix_fmt", "yuv420p")...)
	var asked atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(net.Conn, http.ConnState) { asked.Add(1) }
	server.Start()
	defer server.Close()
	for _, target := range []string{server.URL + "/a.ts", "file://" + other, other} {
		for name, text := range map[string]string{
			"list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n" + target +
				"\n#EXT-X-ENDLIST\n",
			"list.ffconcat": "ffconcat version 1.0\nfile '" + target + "'\n",
			"list.asx":      `<asx version="3.0"><entry><ref href="` + target + `"/></entry></asx>`,
			"list.mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>` +
				`<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>` + target +
				`</BaseURL></Representation></AdaptationSet></Period></MPD>`,
			"session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
			"drawing.svg": `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">` +
				`<image xlink:href="` + target + `" width="9" height="9"/></svg>`,
		} {
			for _, file := range []*attachment.Attachment{
				attachment.Of(attachment.Path(s.write(name, []byte(text)))),
				attachment.Video(attachment.Bytes("a.mp4", []byte(text)), attachment.MIME("video/mp4")),
				attachment.Image(attachment.Bytes("a.avif", []byte(text)), attachment.MIME("image/avif")),
				// Behind what the type is told by.
				attachment.Video(attachment.Bytes("a.mp4", append(mp4()[:32], text...))),
			} {
				p := must(file.Prepare(deadline(t), h.repo))(t)
				if p.Thumbnail != nil || p.Blurhash != "" {
					t.Errorf("%s: got %+v", name, p)
				}
				_ = p.Close()
			}
			if _, err := attachment.Voice(attachment.Bytes("a.mp3", []byte(text))).Prepare(deadline(t), h.repo); err == nil {
				t.Errorf("%s became a voice message", name)
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

// A video of a few hundred bytes may claim pictures that fill the memory.
func TestFFmpegOfAVideoThatIsTooLarge(t *testing.T) {
	s := newStudio(t)
	h := s.home()
	data := s.read(s.make("small.webm", append(film("64x48"), "-c:v", "libvpx", "-frames:v", "1")...))
	at := bytes.Index(data, []byte("\x9d\x01\x2a")) // The start code of a key frame, which its size follows (RFC 6386, 9.1)
	if at < 0 {
		t.Fatal("the video has no frame")
	}
	for _, tt := range []struct {
		side int
		want bool
	}{{5000, true}, {6000, false}, {12000, false}, {16383, false}} {
		binary.LittleEndian.PutUint16(data[at+3:], uint16(tt.side))
		binary.LittleEndian.PutUint16(data[at+5:], uint16(tt.side))
		begin := time.Now()
		p := must(attachment.Of(attachment.Bytes("bomb.webm", data)).Prepare(deadline(t), h.repo))(t)
		t.Logf("%d × %d pixels take %v", tt.side, tt.side, time.Since(begin))
		if (p.Thumbnail != nil) != tt.want || p.Kind != attachment.KindVideo {
			t.Errorf("%d: got %+v", tt.side, p)
		}
		_ = p.Close()
	}
}
