package attachment

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// maxSide bounds the sides of a picture, in pixels, so that their product can't overflow.
const maxSide = 1 << 16

// format is a kind of picture that can be decoded.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// extra is what decoding needs beside the picture, in bytes for each pixel.
	extra int
	// need, if it is set, is what decoding needs in all, in bytes.
	need func(io.Reader) (int64, error)
}

// formats are the pictures that can be decoded, by media type. They are named here rather than registered with package
// image, where any other package could add more.
var formats = map[string]format{
	"image/jpeg": {config: jpeg.DecodeConfig, decode: jpeg.Decode, need: jpegNeed},
	"image/png":  {config: png.DecodeConfig, decode: png.Decode},
	"image/apng": {config: png.DecodeConfig, decode: png.Decode}, // Its first frame or its still picture
	"image/gif":  {config: gif.DecodeConfig, decode: decodeGIF, extra: 4},
	"image/webp": {config: webp.DecodeConfig, decode: decodeWebP, need: webpNeed},
	"image/bmp":  {config: bmp.DecodeConfig, decode: bmp.Decode},
	"image/tiff": {config: tiff.DecodeConfig, decode: tiff.Decode, extra: 4},
}

// decodePicture decodes a picture, or the first frame of an animated one. It looks at the size that the file claims
// first: what would take more than the limit in memory is an [ErrPicture], as is what is no picture.
func decodePicture(ctx context.Context, f file, mime string, limit int64) (image.Image, error) {
	format, ok := formats[mime]
	if !ok {
		return nil, fmt.Errorf("%w: no decoder for %s", ErrPicture, mime)
	}
	config, err := format.config(reader(ctx, f))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	width, height := int64(config.Width), int64(config.Height)
	if width <= 0 || height <= 0 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrPicture, width, height)
	}
	need := width * height * int64(pixelBytes(config.ColorModel)+format.extra)
	if format.need != nil {
		if need, err = format.need(reader(ctx, f)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPicture, err)
		}
	}
	if need > limit {
		return nil, fmt.Errorf("%w: %d × %d pixels take %d bytes, and the limit is %d",
			ErrPicture, width, height, need, limit)
	}
	picture, err := format.decode(reader(ctx, f))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if b := picture.Bounds(); b.Empty() {
		return nil, fmt.Errorf("%w: it is empty", ErrPicture)
	}
	return picture, nil
}

// pixelBytes is what a pixel of that model takes at most.
func pixelBytes(model color.Model) int {
	switch model {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model, color.Alpha16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := model.(color.Palette); ok {
		return 1
	}
	return 4
}

// decodeGIF decodes the first frame and puts it in its place on the canvas.
func decodeGIF(r io.Reader) (image.Image, error) {
	buffered := bufio.NewReaderSize(r, copyBuffer)
	head, err := buffered.Peek(10)
	if err != nil {
		return nil, err
	}
	canvas := image.Rect(0, 0, int(head[6])|int(head[7])<<8, int(head[8])|int(head[9])<<8)
	frame, err := gif.Decode(buffered)
	if err != nil {
		return nil, err
	}
	if frame.Bounds() == canvas || canvas.Empty() {
		return frame, nil
	}
	// A palette has room for transparency only if the frame had it, so that the canvas gets colours of its own.
	whole := image.NewRGBA(canvas)
	draw.Draw(whole, frame.Bounds(), frame, frame.Bounds().Min, draw.Src)
	return whole, nil
}

// contextReader ends with ctx: decoders take none.
type contextReader struct {
	ctx context.Context // For as long as one call lasts
	r   io.Reader
}

// Read implements io.Reader.
func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// reader reads the file from its start.
func reader(ctx context.Context, f file) io.Reader {
	return bufio.NewReaderSize(contextReader{ctx, io.NewSectionReader(f, 0, f.Size())}, copyBuffer)
}
