package attachment

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the most that file systems take, in bytes.
const maxName = 255

// CleanName makes a file name out of foreign text. Of a path only the last part is kept; control characters, those
// that are not seen and those that turn the direction of the text are left out, so that "gpj.exe" can't be shown as
// "exe.jpg"; so is what is no UTF-8. It is at most 255 bytes long, with its extension. The name is empty where nothing
// is left.
func CleanName(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = trimEnds(name)
	if len(name) <= maxName {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 32 {
		extension = ""
	}
	return trimEnds(cut(name, maxName-len(extension)) + extension)
}

// trimEnds takes away spaces, and the dots that Windows drops or that mean a folder.
func trimEnds(name string) string {
	name = strings.TrimRight(strings.TrimSpace(name), ". ")
	return strings.TrimSpace(name)
}

// cut is the longest beginning of whole characters within n bytes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// extensions are those that names are given when there is none. Package mime would depend on the machine.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/apng": ".png", "image/gif": ".gif", "image/webp": ".webp",
	"image/avif": ".avif", "image/heic": ".heic", "image/bmp": ".bmp", "image/tiff": ".tiff", "image/svg+xml": ".svg",
	"audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/flac": ".flac", "audio/wav": ".wav", "audio/mp4": ".m4a",
	"audio/aac": ".aac", "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov",
	"video/x-matroska": ".mkv", "text/plain": ".txt", "application/pdf": ".pdf", "application/zip": ".zip",
	"application/json": ".json", "text/html": ".html",
}

// nameFor is a name for a file that came without one.
func nameFor(kind Kind, mime string) string {
	bare, _, _ := strings.Cut(mime, ";")
	return kind.String() + extensions[bare]
}
