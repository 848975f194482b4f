package main

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	_ "image/gif" // Registers the format, as the next one does.
	_ "image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
)

// What a picture may have, so that nobody makes the bot unpack a small file into a giant picture.
const (
	maxBytes  = 20 << 20
	maxPixels = 20_000_000
)

type greyArgs struct {
	Picture *niobot.File `arg:"picture" help:"a picture in PNG, JPEG or GIF"`
}

func grey(ctx context.Context, c *niobot.Context, a greyArgs) error {
	if a.Picture.Kind != attachment.KindImage {
		return c.Reply(ctx, "%s is no picture.", a.Picture.Name)
	}
	received, err := a.Picture.Download(ctx, attachment.MaxBytes(maxBytes))
	if err != nil {
		return err
	}
	defer received.Close()
	picture, ok := decode(received)
	if !ok {
		return c.Reply(ctx, "I can't read %s.", a.Picture.Name)
	}
	made := image.NewGray(picture.Bounds())
	draw.Draw(made, made.Bounds(), picture, picture.Bounds().Min, draw.Src)
	var file bytes.Buffer
	if err := png.Encode(&file, made); err != nil {
		return err
	}
	name, _, _ := strings.Cut(a.Picture.Name, ".")
	_, err = c.Respond(ctx, niobot.Attach(attachment.Image(attachment.Bytes(name+" in grey.png", file.Bytes()))))
	return err
}

// decode reads a picture, if its size is within the limits.
func decode(file io.ReadSeeker) (image.Image, bool) {
	size, _, err := image.DecodeConfig(file)
	if err != nil || size.Width <= 0 || size.Height <= 0 || size.Width > maxPixels/size.Height {
		return nil, false
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, false
	}
	picture, _, err := image.Decode(file)
	return picture, err == nil
}
