package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

const (
	stillTime   = 20 * time.Second // For a picture of a video
	soundTime   = 2 * time.Minute  // For a recording as a whole
	toolEnd     = 2 * time.Second  // For a program that was told to end
	maxStill    = 16 << 20         // Bytes of a picture at most 800 × 600
	maxVoice    = 64 << 20         // Bytes of a recording, about four hours
	maxComplain = 500              // Bytes of what a program says of its error
	stillPixel  = 4                // Bytes of memory for a pixel of a video
	voiceRate   = "32k"            // Bits per second; speech in Opus needs no more
	peakRate    = 8000             // Samples per second, of which a waveform is made
)

// demuxers are ffmpeg's names of the formats that it is let read. Others are not: a playlist that calls itself a video
// would make it open other files.
var demuxers = map[string]string{
	"video/mp4": "mov", "video/quicktime": "mov", "video/3gpp": "mov", "video/3gpp2": "mov", "video/x-m4v": "mov",
	"audio/mp4": "mov", "audio/x-m4a": "mov", "audio/3gpp": "mov", "audio/3gpp2": "mov",
	"image/avif": "mov", "image/heic": "mov", "image/heif": "mov",
	"video/webm": "matroska", "audio/webm": "matroska", "video/x-matroska": "matroska", "audio/x-matroska": "matroska",
	"video/matroska": "matroska", "audio/matroska": "matroska",
	"video/ogg": "ogg", "audio/ogg": "ogg", "application/ogg": "ogg",
	"video/x-msvideo": "avi", "video/avi": "avi", "video/mpeg": "mpeg", "video/mp2t": "mpegts",
	"video/x-flv": "flv", "video/x-ms-asf": "asf",
	"audio/mpeg": "mp3", "audio/flac": "flac", "audio/x-flac": "flac", "audio/aac": "aac",
	"audio/wav": "wav", "audio/wave": "wav", "audio/x-wav": "wav", "audio/amr": "amr", "audio/aiff": "aiff",
	"audio/basic": "au", "audio/x-caf": "caf",
}

// tool is ffmpeg.
type tool struct {
	path  string
	known bool // Whether the path was set, be it empty
}

func (t tool) find() (string, error) {
	path := t.path
	if !t.known {
		path, _ = exec.LookPath("ffmpeg")
	}
	if path == "" {
		return "", ErrNoTool
	}
	return path, nil
}

// run has ffmpeg read a file of that type and write what is left of the arguments to out.
func (r *Repository) run(
	ctx context.Context, limit time.Duration, f file, path, mime string, out io.Writer, args ...string,
) error {
	program, err := r.tool.find()
	if err != nil {
		return err
	}
	bare, _, _ := strings.Cut(mime, ";")
	demuxer, ok := demuxers[bare]
	if !ok {
		return fmt.Errorf("ffmpeg is not asked for %s", mime)
	}
	if path == "" {
		copied, err := named(ctx, f, r.dir)
		if err != nil {
			return fmt.Errorf("copy for ffmpeg: %w", err)
		}
		defer os.Remove(copied) //nolint:errcheck // it is in the folder of temporary files
		path = copied
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args = append([]string{
		"-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file", "-f", demuxer,
		// Its versions differ in what they turn; and each thread holds pictures of its own.
		"-noautorotate", "-threads", "1", "-max_pixels", strconv.FormatInt(min(r.maxPicture/stillPixel, math.MaxInt32), 10),
		"-i", "file:" + path, "-map_metadata", "-1", "-map_chapters", "-1",
	}, args...)
	command := exec.CommandContext(ctx, program, append(args, "pipe:1")...)
	// The bot's environment holds its token.
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "LC_ALL=C"}
	command.WaitDelay = toolEnd
	complaint := &tail{most: maxComplain}
	command.Stdout, command.Stderr = stopping{out, stop}, complaint
	if err := command.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("ffmpeg: %w: %s", err, complaint)
	}
	return nil
}

// named copies a file to one that has a name.
func named(ctx context.Context, f file, dir string) (string, error) {
	made, err := os.CreateTemp(dir, "niobot-*")
	if err != nil {
		return "", err
	}
	_, err = io.CopyBuffer(onlyWriter{made}, contextReader{ctx, io.NewSectionReader(f, 0, f.Size())},
		make([]byte, copyBuffer))
	path, err2 := filepath.Abs(made.Name())
	if err := errors.Join(err, err2, made.Close()); err != nil {
		_ = os.Remove(made.Name())
		return "", err
	}
	return path, nil
}

// still is the first picture of a video, or of a picture that only ffmpeg can read, as it is stored: not turned, and at
// most as large as a thumbnail.
func (r *Repository) still(ctx context.Context, f file, path string, found facts) (image.Image, error) {
	out := &bounded{most: maxStill}
	err := r.run(ctx, stillTime, f, path, found.mime, out, append(stillOf(found),
		"-an", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe")...)
	if err != nil {
		return nil, err
	}
	data := sizedFile{bytes.NewReader(out.Bytes()), io.NopCloser(nil), int64(out.Len())}
	return decodePicture(ctx, data, "image/png", r.maxPicture)
}

// stillOf says which picture ffmpeg is to take, and how it is to be scaled.
func stillOf(found facts) []string {
	width, height, maxWidth, maxHeight := found.width, found.height, ThumbnailWidth, ThumbnailHeight
	if turned(found.orientation) {
		width, height, maxWidth, maxHeight = height, width, maxHeight, maxWidth
	}
	if width <= 0 || height <= 0 {
		return []string{"-vf", fmt.Sprintf(
			"scale='min(%d,iw)':'min(%d,ih)':force_original_aspect_ratio=decrease", maxWidth, maxHeight)}
	}
	w, h := fit(width, height, maxWidth, maxHeight)
	scale := fmt.Sprintf("scale=%d:%d", w, h)
	if found.kind != KindImage {
		// The first, whose size is the video's, and no cover. Its pixels need not be square.
		return []string{"-map", "0:V:0", "-vf", scale}
	}
	// Of a picture of tiles, some versions give one tile, which is too small to be cut.
	return []string{"-vf", fmt.Sprintf("crop=%d:%d,%s", width, height, scale)}
}

// toVoice makes Opus in Ogg of a recording, where it is not that already.
func (r *Repository) toVoice(ctx context.Context, p *Prepared, source *opened, found facts) (facts, error) {
	if isOpus(p.file) {
		found.mime = "audio/ogg"
		return found, nil
	}
	out := newSpool(r.dir)
	err := r.run(ctx, soundTime, p.file, source.path, found.mime, &limited{out, maxVoice},
		"-vn", "-ac", "1", "-c:a", "libopus", "-b:a", voiceRate, "-f", "ogg")
	if err != nil {
		_ = out.Close()
		if errors.Is(err, ErrNoTool) {
			return found, fmt.Errorf("voice messages are Opus in Ogg, and the file is %s: %w; install it", found.mime, err)
		}
		return found, fmt.Errorf("convert voice message: %w", err)
	}
	_ = p.file.Close()
	p.file, source.path = out, ""
	source.origin = id.ContentURI{} // Other bytes than these
	length := found.duration
	found, err = r.inspect(ctx, out, "")
	found.mime = "audio/ogg"
	if found.duration == 0 {
		found.duration = length
	}
	return found, err
}

// isOpus tells whether a file is Opus in Ogg, by its first page (RFC 7845, 3).
func isOpus(f file) bool {
	head := make([]byte, 36)
	_, err := f.ReadAt(head, 0)
	return err == nil && string(head[:4]) == "OggS" && string(head[28:]) == "OpusHead"
}

// waveform is that of a sound, or nil where it is not to be had. WAV needs no help, other formats ffmpeg's.
func (r *Repository) waveform(ctx context.Context, f file, path string, found facts) []int {
	if found.mime == mimeWAV {
		if levels, err := wavLevels(f); err == nil {
			return levels
		}
	}
	var out peaks
	err := r.run(ctx, soundTime, f, path, found.mime, &out,
		"-vn", "-ac", "1", "-ar", fmt.Sprint(peakRate), "-c:a", "pcm_s16le", "-f", "s16le")
	if err != nil {
		if !errors.Is(err, ErrNoTool) {
			r.log.InfoContext(ctx, "no waveform of an attachment", "mime", found.mime, "err", err)
		}
		return nil
	}
	return out.levels()
}

// stopping ends the program that writes when what it writes is not taken.
type stopping struct {
	io.Writer
	stop context.CancelCauseFunc
}

// Write implements [io.Writer].
func (s stopping) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if err != nil {
		s.stop(err)
	}
	return n, err
}

// bounded is a buffer that takes no more than it should.
type bounded struct {
	bytes.Buffer
	most int
}

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, &TooLargeError{Limit: int64(b.most), Whose: "the preview's"}
	}
	return b.Buffer.Write(p)
}

// limited is a spool that takes no more than it should.
type limited struct {
	*spool
	most int64
}

// Write implements [io.Writer].
func (l *limited) Write(p []byte) (int, error) {
	if l.Size()+int64(len(p)) > l.most {
		return 0, &TooLargeError{Limit: l.most, Whose: "the recording's"}
	}
	return l.spool.Write(p)
}

// tail keeps the end of what is written, which is where programs say why they ended.
type tail struct {
	text []byte
	most int
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(0, len(p)-t.most):]...)
	t.text = t.text[max(0, len(t.text)-t.most):]
	return len(p), nil
}

// String is the text on one line.
func (t *tail) String() string { return strings.Join(strings.Fields(string(t.text)), " ") }

// level is a loudness from 0 to 1 as clients want it.
func level(loudness float64) int {
	if math.IsNaN(loudness) {
		return 0
	}
	return int(math.Round(max(0, min(1, loudness)) * waveformMax))
}
