package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	maxAnswer      = 256 << 10 // Of what ffprobe writes, in bytes
	maxPiped       = 64 << 20  // Of what it is given by its standard input, in bytes
)

// FFprobe is how ffprobe is asked.
type FFprobe struct {
	// Program is its name, looked up in PATH, or its path. Empty means "ffprobe".
	Program string
	// Path is where the file lies, for ffprobe to read by itself. Empty means that it gets the file's first 64 MiB by its
	// standard input, where it can't go back.
	Path string
	// Timeout is how long it may take. Zero means 10 s.
	Timeout time.Duration
}

// WithFFprobe lets [Read] ask ffprobe for the size and the length of videos and sounds that it doesn't know, such as
// those in AVI and FLV. Nothing is asked, and nothing fails, if ffprobe is not installed.
//
// ffprobe reads that one file by the one format that its content shows. It opens no other file and no connection, gets
// no secret by its environment, and is ended after a timeout.
func WithFFprobe(f FFprobe) Option {
	if f.Program == "" {
		f.Program = "ffprobe"
	}
	if f.Timeout <= 0 {
		f.Timeout = defaultTimeout
	}
	return func(o *options) { o.ffprobe = (*ffprobe)(&f) }
}

// ffprobe is an FFprobe without zeros.
type ffprobe FFprobe

// demuxers are ffprobe's names of the formats that it may read. A playlist is none of them.
var demuxers = map[string]string{
	"video/mp4": "mov", "video/quicktime": "mov", "video/3gpp": "mov", "video/3gpp2": "mov",
	"audio/mp4": "mov", "audio/3gpp": "mov", "audio/3gpp2": "mov",
	"video/webm": "matroska", "video/x-matroska": "matroska", "audio/webm": "matroska", "audio/x-matroska": "matroska",
	"video/ogg": "ogg", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/aac": "aac", "audio/flac": "flac",
	"audio/wav": "wav", "video/x-msvideo": "avi", "video/x-flv": "flv", "video/x-ms-asf": "asf", "video/mpeg": "mpeg",
	"audio/aiff": "aiff", "audio/basic": "au", "audio/amr": "amr", "audio/ape": "ape", "audio/x-voc": "voc",
	"audio/x-caf": "caf", "video/mp2t": "mpegts",
}

// answer is what ffprobe prints.
type answer struct {
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
	Streams []struct {
		Kind     string `json:"codec_type"`
		Codec    string `json:"codec_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		SideData []struct {
			Rotation float64 `json:"rotation"` // In degrees, against the clock
		} `json:"side_data_list"`
	} `json:"streams"`
}

// complete adds what is missing. It gives the error that was there before, unless nothing is missing any more.
func (f *ffprobe) complete(ctx context.Context, in io.Reader, info *Info, before error) error {
	demuxer, ok := demuxers[info.MIME]
	if !ok {
		return before
	}
	program, err := exec.LookPath(f.Program)
	if err != nil {
		return before
	}
	a, err := f.ask(ctx, program, demuxer, in)
	if err != nil {
		return errors.Join(before, fmt.Errorf("%w: %w", ErrFFprobe, err))
	}
	a.add(info)
	if info.wanting() {
		return before
	}
	return nil
}

// ask runs ffprobe. No shell is involved, and the path has a protocol in front, so that nothing in it means anything.
func (f *ffprobe) ask(ctx context.Context, program, demuxer string, in io.Reader) (answer, error) {
	protocol, input := "pipe", "pipe:0"
	if f.Path != "" {
		path, err := filepath.Abs(f.Path)
		if err != nil {
			return answer{}, err
		}
		protocol, input = "file", "file:"+path
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program,
		"-v", "error", "-protocol_whitelist", protocol, "-f", demuxer,
		"-show_entries", "format=duration:stream=codec_type,codec_name,width,height:stream_side_data=rotation",
		"-of", "json", "-i", input)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.WaitDelay = time.Second
	if f.Path == "" {
		cmd.Stdin = io.LimitReader(in, maxPiped)
	}
	out := &bounded{left: maxAnswer}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(out.kept.Bytes(), &a); err != nil {
		return answer{}, fmt.Errorf("decode its answer: %w", err)
	}
	return a, nil
}

// add takes over what is missing.
func (a *answer) add(info *Info) {
	known := len(info.Codecs) > 0
	for _, stream := range a.Streams {
		if stream.Kind != "video" && stream.Kind != "audio" {
			continue
		}
		if !known {
			info.addCodec(codecOfFFprobe(stream.Codec))
		}
		if stream.Kind == "video" && info.Kind == Video && info.Width == 0 && stream.Width > 0 && stream.Height > 0 {
			info.Width, info.Height = min(stream.Width, maxSide), min(stream.Height, maxSide)
			var turned turning
			for _, data := range stream.SideData {
				turned.turn(-int(data.Rotation/90) & 3)
			}
			if info.Orientation = turned.orientation(); info.Orientation >= 5 {
				info.Width, info.Height = info.Height, info.Width
			}
		}
	}
	seconds, err := strconv.ParseFloat(a.Format.Duration, 64)
	if err == nil && info.Duration == 0 && seconds > 0 && seconds < maxDuration.Seconds() {
		info.Duration = time.Duration(seconds * float64(time.Second))
	}
	info.Warning = warning(info)
}

// bounded keeps so many bytes of what is written, and fails on more.
type bounded struct {
	kept bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("its answer is too long")
	}
	return b.kept.Write(p)
}
