package attachment

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"

	"github.com/HugoSmits86/nativewebp"
	"github.com/bbrks/go-blurhash"
)

const (
	// ThumbnailWidth and ThumbnailHeight are the most that a thumbnail measures, in pixels, and what a picture has to
	// exceed to get one (spec: Client-Server API, "Thumbnails").
	ThumbnailWidth  = 800
	ThumbnailHeight = 600

	thumbnailQuality = 80 // Of JPEG
	blurhashSide     = 32 // The hash keeps a dozen frequencies, of which no more pixels are needed
)

// Thumbnail is a small still picture of a larger one, or of a video.
type Thumbnail struct {
	MIME          string // image/jpeg or image/webp
	Width, Height int    // In pixels
	Data          []byte
}

// wanted says what is to be made of a decoded picture.
type wanted struct {
	orientation int  // What turns the picture upright, as in EXIF
	lossy       bool // The picture came with losses: a thumbnail without them is never the smaller one
	thumbnail   thumbnailWhen
	blurhash    bool
}

type thumbnailWhen int

const (
	thumbnailNever   thumbnailWhen = iota
	thumbnailIfLarge               // Of a picture, which clients can show as it is if it is small
	thumbnailAlways                // Of a video
)

// preview is what is made of a decoded picture.
type preview struct {
	thumbnail *Thumbnail // nil if there is none
	blurhash  string
}

// previewOf makes the thumbnail and the blurhash of a picture.
func previewOf(picture image.Image, want wanted) (preview, error) {
	b := picture.Bounds()
	width, height := b.Dx(), b.Dy()
	if turned(want.orientation) {
		width, height = height, width
	}
	var made preview
	large := width > ThumbnailWidth || height > ThumbnailHeight
	if large || want.thumbnail == thumbnailAlways {
		w, h := fit(width, height, ThumbnailWidth, ThumbnailHeight)
		if turned(want.orientation) {
			w, h = h, w
		}
		upright := orient(reduce(picture, w, h), want.orientation)
		picture, want.orientation = upright, 1
		if want.thumbnail != thumbnailNever {
			thumbnail, err := encodeThumbnail(upright, want.lossy)
			if err != nil {
				return made, fmt.Errorf("encode thumbnail: %w", err)
			}
			made.thumbnail = thumbnail
		}
	}
	if !want.blurhash {
		return made, nil
	}
	hash, err := blurhashOf(blurhashCopy(picture, want.orientation))
	made.blurhash = hash
	return made, err
}

// fit is the largest size with the same proportions, at least one pixel, within the bounds. It is never larger than the
// picture.
func fit(width, height, maxWidth, maxHeight int) (w, h int) {
	w, h = min(width, maxWidth), min(height, maxHeight)
	if width*h > height*w {
		h = max(1, (height*w+width/2)/width)
	} else {
		w = max(1, (width*h+height/2)/height)
	}
	return w, h
}

// encodeThumbnail is the picture as JPEG or as lossless WebP, by what is smaller and keeps the transparency.
func encodeThumbnail(picture *image.RGBA, lossy bool) (*Thumbnail, error) {
	thumbnail := &Thumbnail{Width: picture.Rect.Dx(), Height: picture.Rect.Dy()}
	opaque := picture.Opaque()
	if opaque {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
			return nil, err
		}
		thumbnail.MIME, thumbnail.Data = "image/jpeg", b.Bytes()
	}
	if !opaque || !lossy {
		// The encoder takes colours as they are stored, and those are premultiplied.
		straight := image.NewNRGBA(picture.Rect)
		draw.Draw(straight, straight.Rect, picture, picture.Rect.Min, draw.Src)
		var b bytes.Buffer
		if err := nativewebp.Encode(&b, straight, nil); err != nil {
			return nil, err
		}
		if !opaque || b.Len() < len(thumbnail.Data) {
			thumbnail.MIME, thumbnail.Data = "image/webp", b.Bytes()
		}
	}
	return thumbnail, nil
}

// blurhashCopy is the upright copy, at most 32 pixels wide and high, that the blurhash is made of. What is transparent
// is white.
func blurhashCopy(picture image.Image, orientation int) *image.RGBA {
	b := picture.Bounds()
	w, h := fit(b.Dx(), b.Dy(), blurhashSide, blurhashSide)
	upright := orient(reduce(picture, w, h), orientation)
	flat := image.NewRGBA(upright.Rect)
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, upright, upright.Rect.Min, draw.Over)
	return flat
}

// blurhashOf is the blurhash with four frequencies along the longer side and three along the other.
func blurhashOf(picture *image.RGBA) (string, error) {
	across, down := 4, 3
	if picture.Rect.Dy() > picture.Rect.Dx() {
		across, down = down, across
	}
	hash, err := blurhash.Encode(across, down, picture)
	if err != nil {
		return "", fmt.Errorf("encode blurhash: %w", err)
	}
	return hash, nil
}
