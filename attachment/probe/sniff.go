package probe

import (
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Families of formats that share a container. What is inside decides on the MIME type, so the parser sets it.
const (
	mimeISO      = "application/mp4" // MP4, MOV, M4A, 3GP, HEIC and AVIF (ISO/IEC 14496-12)
	mimeMatroska = "video/x-matroska"
	mimeOgg      = "application/ogg"
	mimeUnknown  = "application/octet-stream"
)

// sniffed is how many bytes decide on the MIME type; package mimetype looks at fewer.
const sniffed = 4 << 10

// renamed gives some of mimetype's names the form that browsers know.
var renamed = map[string]string{
	"image/apng":       "image/png", // The parser for PNG sees whether it is animated
	"video/webm":       mimeMatroska,
	"video/matroska":   mimeMatroska,
	"audio/ogg":        mimeOgg,
	"video/ogg":        mimeOgg,
	"video/quicktime":  mimeISO,
	"audio/x-unknown":  "audio/x-voc",
	"audio/x-m4a":      mimeISO,
	"application/fits": "image/fits",
}

// sniff says what a file is by its first bytes: a key of parsers, or a MIME type that no parser knows more about.
func sniff(s *source) (string, error) {
	head, err := s.head(0, sniffed)
	if err != nil || len(head) == 0 {
		return mimeUnknown, err
	}
	if mime := signature(head); mime != "" {
		return mime, nil
	}
	mime, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if name, ok := renamed[mime]; ok {
		mime = name
	}
	switch {
	case mime == "image/svg+xml", family(mime, "text") && startsMarkup(head):
		// An SVG may begin with comments that are longer than what mimetype looks at, and an HTML page may hold one.
		_, ok, err := svgRoot(s)
		if err != nil {
			return mimeUnknown, err
		}
		if ok {
			return "image/svg+xml", nil
		}
		if mime == "image/svg+xml" {
			return "text/xml", nil
		}
	case mime == "image/x-icon" && !isIcon(head):
		return mimeUnknown, nil
	case mime == mimeUnknown:
		if h, ok := parseMPEGHeader(head); ok && h.followed(s, 0) {
			return "audio/mpeg", nil
		}
	}
	return mime, nil
}

// signature knows the families that mimetype splits in ways that the content can refute.
func signature(head []byte) string {
	is := func(off int, magic string) bool {
		return len(head) >= off+len(magic) && string(head[off:off+len(magic)]) == magic
	}
	switch {
	case is(4, "ftyp"), is(4, "moov"), is(4, "wide"), is(4, "styp"),
		is(4, "mdat"), is(4, "free") && is(0, "\x00\x00"), is(4, "skip") && is(0, "\x00\x00"):
		if is(8, "mjp2") || is(8, "jp2 ") || is(8, "jpx ") || is(8, "jpm ") {
			return "" // JPEG 2000 is built alike and holds other boxes
		}
		return mimeISO
	case is(0, "\x1aE\xdf\xa3"):
		return mimeMatroska
	case is(0, "OggS"):
		return mimeOgg
	case is(8, "WAVE") && (is(0, "RIFF") || is(0, "RF64") || is(0, "BW64")):
		return "audio/wav"
	case is(8, "WEBP") && is(0, "RIFF"):
		return "image/webp"
	case is(0, "BM") && len(head) >= 18 && bmpHeaders[head[14]] && is(15, "\x00\x00\x00"):
		return "image/bmp"
	case is(0, "caff\x00\x01"):
		return "audio/x-caf"
	case is(0, "G") && is(188, "G") && is(376, "G") && is(564, "G"):
		return "video/mp2t"
	case is(0, "fLaC"):
		return "audio/flac"
	case is(0, "ID3"):
		return "audio/mpeg"
	}
	return ""
}

// bmpHeaders are the sizes of a bitmap's second header, in bytes.
var bmpHeaders = map[byte]bool{12: true, 16: true, 40: true, 52: true, 56: true, 64: true, 108: true, 124: true}

// startsMarkup tells whether a text begins with a tag, a comment or a declaration.
func startsMarkup(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<"))
}
