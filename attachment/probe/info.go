package probe

import (
	"strings"
	"time"
)

// Info is what a file says of itself. Zero means that something is not known, or does not apply.
type Info struct {
	// MIME is the media type without parameters, such as "image/jpeg". It is "application/octet-stream" for what is not
	// known, and never empty.
	MIME string
	// Kind is how clients show the file.
	Kind Kind
	// Width and Height are the size of the picture as it is shown, in pixels: orientation and rotation are applied. Both
	// are known or none is. More than 2²⁴ pixels on a side are taken for nonsense, so the product fits an int64.
	Width, Height int
	// Orientation is what has to be done with the stored picture to show it, as an EXIF orientation: 1 is nothing, 2 to 8
	// are mirroring, turning or both (Exif 2.32, 4.6.4 A). From 5 on width and height change places. It is 0 for a file
	// without a picture. Decoders of JPEG, PNG, WebP and TIFF leave it to their callers; those of HEIC and AVIF and the
	// players of videos turn what they decode.
	Orientation int
	// Animated tells that an image has more than one frame (MSC4230). It is never set for a video.
	Animated bool
	// Alpha tells that the picture may be transparent in places.
	Alpha bool
	// Duration is how long the file plays. An image has none.
	Duration time.Duration
	// Codecs are what has to be decoded, each once and in the order of the tracks, by the names that ffmpeg has for
	// them: "h264", "aac". It is empty for images that can only have one.
	Codecs []string
	// Warning says why most browsers, and so most Matrix clients, can't show the file, and what they can show instead.
	// It is empty if nothing speaks against the file.
	Warning string
}

// Kind is how clients show a file.
type Kind int

// The kinds.
const (
	File  Kind = iota // m.file: anything that is none of the others
	Image             // m.image
	Audio             // m.audio
	Video             // m.video
)

// String is the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Image:
		return "image"
	case Audio:
		return "audio"
	case Video:
		return "video"
	}
	return "file"
}

// drawings are files of type image that no client shows as one: projects and parts of image editors.
var drawings = map[string]bool{
	"image/vnd.adobe.photoshop": true,
	"image/vnd.djvu":            true,
	"image/vnd.dwg":             true,
	"image/vnd.dxf":             true,
	"image/x-gimp-gbr":          true,
	"image/x-gimp-pat":          true,
	"image/x-xcf":               true,
}

// kindOf is the kind of what has that media type.
func kindOf(mime string) Kind {
	if drawings[mime] {
		return File
	}
	switch family, _, _ := strings.Cut(mime, "/"); family {
	case "image":
		return Image
	case "audio":
		return Audio
	case "video":
		return Video
	}
	return File
}

// addCodec notes a codec, once.
func (info *Info) addCodec(name string) {
	if name == "" || len(info.Codecs) >= maxTracks {
		return
	}
	for _, have := range info.Codecs {
		if have == name {
			return
		}
	}
	info.Codecs = append(info.Codecs, name)
}

// maxSide is larger than any picture that is shown, in pixels.
const maxSide = 1 << 24

// finish sets what follows from the rest.
func (info *Info) finish() {
	info.Kind = kindOf(info.MIME)
	if info.Width <= 0 || info.Height <= 0 || info.Width > maxSide || info.Height > maxSide {
		info.Width, info.Height = 0, 0
		info.Orientation = 0
	} else if info.Orientation < 1 || info.Orientation > 8 {
		info.Orientation = 1
	}
	if info.Orientation >= 5 {
		info.Width, info.Height = info.Height, info.Width
	}
	if info.Kind == Image {
		info.Duration = 0
	}
	info.Warning = warning(info)
}

// maxDuration is longer than anything that is sent: a file that claims more is wrong.
const maxDuration = 10 * 365 * 24 * time.Hour

// ticks is the length of n units, of which scale make a second. It is 0 if that can't be.
func ticks(n, scale uint64) time.Duration {
	if scale == 0 || n/scale > uint64(maxDuration/time.Second) {
		return 0
	}
	rest := n % scale
	// A float keeps the rest exact enough, and can't overflow.
	return time.Duration(n/scale)*time.Second + time.Duration(float64(rest)/float64(scale)*float64(time.Second)+0.5)
}
