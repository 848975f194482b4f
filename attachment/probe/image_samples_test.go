package probe_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/niobot/niobot/attachment/probe"
)

// join puts pieces into one file: strings, bytes, and numbers in big-endian order.
func join(parts ...any) []byte { return pack(binary.BigEndian, parts...) }

// little is join for formats that have numbers in little-endian order.
func little(parts ...any) []byte { return pack(binary.LittleEndian, parts...) }

func pack(order binary.AppendByteOrder, parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			out = append(out, v...)
		case []byte:
			out = append(out, v...)
		case byte:
			out = append(out, v)
		case uint16:
			out = order.AppendUint16(out, v)
		case uint32:
			out = order.AppendUint32(out, v)
		case uint64:
			out = order.AppendUint64(out, v)
		default:
			panic(fmt.Sprintf("probe_test: no bytes for %T", part))
		}
	}
	return out
}

// must is for encoders that write to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// drawing is a picture with some content.
func drawing(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{R: byte(9 * x), G: byte(5 * y), B: byte(x * y), A: 255})
		}
	}
	return m
}

func encodeJPEG(width, height int) []byte {
	var out bytes.Buffer
	must(jpeg.Encode(&out, drawing(width, height), nil))
	return out.Bytes()
}

func encodePNG(m image.Image) []byte {
	var out bytes.Buffer
	must(png.Encode(&out, m))
	return out.Bytes()
}

// exif is EXIF data with an orientation, behind another tag.
func exif(order binary.AppendByteOrder, orientation int) []byte {
	mark := "II"
	if order.String() == binary.BigEndian.String() {
		mark = "MM"
	}
	entry := func(tag, kind uint16, value uint16) []byte {
		return pack(order, tag, kind, uint32(1), value, uint16(0))
	}
	return pack(order, mark, uint16(42), uint32(8), uint16(2),
		entry(0x0110, 3, 7), entry(0x0112, 3, uint16(orientation)), uint32(0))
}

// withEXIF puts an APP1 segment behind the start of a JPEG, behind one that is XMP.
func withEXIF(jpeg, exif []byte) []byte {
	xmp := "http://ns.adobe.com/xap/1.0/\x00<x/>"
	return join(jpeg[:2], "\xff\xe1", uint16(len(xmp)+2), xmp,
		"\xff\xff\xe1", uint16(len(exif)+8), "Exif\x00\x00", exif, jpeg[2:])
}

func pngChunk(kind string, body []byte) []byte {
	return join(uint32(len(body)), kind, body, crc32.ChecksumIEEE(join(kind, body)))
}

// insertChunk puts a chunk behind a PNG's header.
func insertChunk(png []byte, kind string, body []byte) []byte {
	const header = 8 + 12 + 13
	return join(png[:header], pngChunk(kind, body), png[header:])
}

// apng is a PNG with so many frames.
func apng(width, height, frames int) []byte {
	var pixels bytes.Buffer
	w := zlib.NewWriter(&pixels)
	_, err := w.Write(make([]byte, height*(width*4+1)))
	must(err)
	must(w.Close())
	control := func(sequence int) []byte {
		return pngChunk("fcTL", join(uint32(sequence), uint32(width), uint32(height), uint32(0), uint32(0),
			uint16(1), uint16(10), byte(0), byte(0)))
	}
	out := join("\x89PNG\r\n\x1a\n",
		pngChunk("IHDR", join(uint32(width), uint32(height), byte(8), byte(6), byte(0), byte(0), byte(0))),
		pngChunk("acTL", join(uint32(frames), uint32(0))), control(0), pngChunk("IDAT", pixels.Bytes()))
	for i := 1; i < frames; i++ {
		out = join(out, control(2*i-1), pngChunk("fdAT", join(uint32(2*i), pixels.Bytes())))
	}
	return join(out, pngChunk("IEND", nil))
}

// encodeGIF is a GIF with so many frames.
func encodeGIF(width, height, frames int, transparent bool) []byte {
	g := &gif.GIF{}
	colors := palette.Plan9
	if transparent {
		colors = append([]color.Color{color.RGBA{}}, colors[1:]...)
	}
	for range frames {
		m := image.NewPaletted(image.Rect(0, 0, width, height), colors)
		for i := range m.Pix {
			m.Pix[i] = byte(i)
		}
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var out bytes.Buffer
	must(gif.EncodeAll(&out, g))
	return out.Bytes()
}

func riff(form string, chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	return little("RIFF", uint32(4+len(body)), form, body)
}

func riffChunk(kind string, body []byte) []byte {
	out := little(kind, uint32(len(body)), body)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// lossyWebP and losslessWebP are the heads of pictures; nothing decodes the rest.
func lossyWebP(width, height int) []byte {
	return riffChunk("VP8 ", little("\x30\x01\x00\x9d\x01\x2a", uint16(width), uint16(height), make([]byte, 21)))
}

func losslessWebP(width, height int, alpha bool) []byte {
	bits := uint32(width-1) | uint32(height-1)<<14
	if alpha {
		bits |= 1 << 28
	}
	return riffChunk("VP8L", little("\x2f", bits, make([]byte, 7)))
}

func extendedWebP(flags byte, width, height int) []byte {
	w, h := uint32(width-1), uint32(height-1)
	return riffChunk("VP8X", []byte{
		flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16),
	})
}

// imageSamples are pictures in formats without boxes.
func imageSamples() []sample {
	var list []sample
	add := func(name string, data []byte, want probe.Info) {
		want.Kind = probe.Image
		if want.Orientation == 0 && want.Width > 0 {
			want.Orientation = 1
		}
		list = append(list, sample{name: name, data: data, want: want})
	}
	for orientation := 1; orientation <= 8; orientation++ {
		width, height := 64, 40
		if orientation >= 5 {
			width, height = height, width
		}
		order := binary.AppendByteOrder(binary.LittleEndian)
		if orientation%2 == 0 {
			order = binary.BigEndian
		}
		add(fmt.Sprintf("turned-%d.jpg", orientation), withEXIF(encodeJPEG(64, 40), exif(order, orientation)),
			probe.Info{MIME: "image/jpeg", Width: width, Height: height, Orientation: orientation})
	}
	add("plain.jpg", encodeJPEG(33, 21), probe.Info{MIME: "image/jpeg", Width: 33, Height: 21})
	add("nonsense-exif.jpg", withEXIF(encodeJPEG(33, 21), exif(binary.BigEndian, 77)),
		probe.Info{MIME: "image/jpeg", Width: 33, Height: 21})

	opaque, clear := encodePNG(drawing(30, 20)), image.NewNRGBA(image.Rect(0, 0, 30, 20))
	add("opaque.png", opaque, probe.Info{MIME: "image/png", Width: 30, Height: 20})
	add("clear.png", encodePNG(clear), probe.Info{MIME: "image/png", Width: 30, Height: 20, Alpha: true})
	colors := image.NewPaletted(image.Rect(0, 0, 5, 6), color.Palette{color.NRGBA{}, color.White})
	add("palette.png", encodePNG(colors), probe.Info{MIME: "image/png", Width: 5, Height: 6, Alpha: true})
	add("turned.png", insertChunk(opaque, "eXIf", exif(binary.BigEndian, 6)),
		probe.Info{MIME: "image/png", Width: 20, Height: 30, Orientation: 6})
	add("animated.png", apng(12, 9, 3),
		probe.Info{MIME: "image/apng", Width: 12, Height: 9, Animated: true, Alpha: true})
	add("one-frame.png", apng(12, 9, 1), probe.Info{MIME: "image/apng", Width: 12, Height: 9, Alpha: true})

	add("still.gif", encodeGIF(14, 11, 1, false), probe.Info{MIME: "image/gif", Width: 14, Height: 11})
	add("animated.gif", encodeGIF(14, 11, 4, false),
		probe.Info{MIME: "image/gif", Width: 14, Height: 11, Animated: true})
	add("clear.gif", encodeGIF(14, 11, 1, true), probe.Info{MIME: "image/gif", Width: 14, Height: 11, Alpha: true})

	add("lossy.webp", riff("WEBP", lossyWebP(176, 144)), probe.Info{MIME: "image/webp", Width: 176, Height: 144})
	add("lossless.webp", riff("WEBP", losslessWebP(400, 301, false)),
		probe.Info{MIME: "image/webp", Width: 400, Height: 301})
	add("clear.webp", riff("WEBP", losslessWebP(16384, 1, true)),
		probe.Info{MIME: "image/webp", Width: 16384, Height: 1, Alpha: true})
	frame := riffChunk("ANMF", make([]byte, 24))
	add("animated.webp", riff("WEBP", extendedWebP(0x12, 70000, 301), riffChunk("ANIM", make([]byte, 6)), frame, frame),
		probe.Info{MIME: "image/webp", Width: 70000, Height: 301, Animated: true, Alpha: true})
	add("turned.webp", riff("WEBP", extendedWebP(0x08, 400, 301), lossyWebP(400, 301),
		riffChunk("EXIF", join("Exif\x00\x00", exif(binary.BigEndian, 8)))),
		probe.Info{MIME: "image/webp", Width: 301, Height: 400, Orientation: 8})

	var out bytes.Buffer
	must(bmp.Encode(&out, drawing(17, 19)))
	windows := bytes.Clone(out.Bytes())
	add("windows.bmp", windows, probe.Info{MIME: "image/bmp", Width: 17, Height: 19})
	down := bytes.Clone(windows)
	binary.LittleEndian.PutUint32(down[22:], 1<<32-19)
	add("top-down.bmp", down, probe.Info{MIME: "image/bmp", Width: 17, Height: 19})
	add("os2.bmp", little("BM", uint32(26+24), uint32(0), uint32(26), uint32(12), uint16(3), uint16(2), uint16(1),
		uint16(24), make([]byte, 24)), probe.Info{MIME: "image/bmp", Width: 3, Height: 2})

	out.Reset()
	must(tiff.Encode(&out, drawing(23, 29), nil))
	add("little.tiff", out.Bytes(), probe.Info{MIME: "image/tiff", Width: 23, Height: 29, Alpha: true})
	long := func(tag uint16, value uint32) []byte { return join(tag, uint16(4), uint32(1), value) }
	add("turned.tiff", join("MM", uint16(42), uint32(8), uint16(3), long(0x100, 640), long(0x101, 480),
		join(uint16(0x112), uint16(3), uint32(1), uint16(5), uint16(0)), uint32(0)),
		probe.Info{MIME: "image/tiff", Width: 480, Height: 640, Orientation: 5})
	icon := func(width, height byte) []byte { return little(width, height, make([]byte, 14)) }
	add("site.ico", little(uint16(0), uint16(1), uint16(3), icon(16, 16), icon(0, 0), icon(48, 48)),
		probe.Info{MIME: "image/x-icon", Width: 256, Height: 256, Alpha: true})
	return append(list, svgSamples()...)
}

// svgSamples are drawings, and what only looks like one.
func svgSamples() []sample {
	const space = `xmlns="http://www.w3.org/2000/svg"`
	var list []sample
	add := func(name, text string, width, height int) {
		want := probe.Info{MIME: "image/svg+xml", Kind: probe.Image, Width: width, Height: height, Alpha: true}
		if width > 0 {
			want.Orientation = 1
		}
		list = append(list, sample{name: name, data: []byte(text), want: want})
	}
	add("pixels.svg", `<svg `+space+` width="120px" height="80"/>`, 120, 80)
	add("inches.svg", `<svg `+space+` width="2in" height="2.54cm"/>`, 192, 96)
	add("points.svg", `<svg `+space+` width="72pt" height="25.4mm"/>`, 96, 96)
	add("box.svg", `<?xml version="1.0"?><svg `+space+` viewBox="0,0 640 360"><g/></svg>`, 640, 360)
	add("ratio.svg", `<svg `+space+` width="100" height="auto" viewBox="-5 -5 50 25"/>`, 100, 50)
	add("relative.svg", `<svg `+space+` width="100%" height="100%" viewBox="0 0 7 9"/>`, 7, 9)
	add("sizeless.svg", `<svg `+space+`/>`, 0, 0)
	add("prefixed.svg", `<s:svg xmlns:s="http://www.w3.org/2000/svg" width="3" height="4"/>`, 3, 4)
	comment := "<!-- " + string(bytes.Repeat([]byte("x "), 6000)) + "-->"
	add("long-comment.svg", comment+"\n<svg "+space+` width="5" height="6"/>`, 5, 6)
	add("illustrator.svg", `<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [
	<!ENTITY ns_svg "http://www.w3.org/2000/svg">]><svg xmlns="&ns_svg;" width="8" height="9"/>`, 8, 9)
	page := `<!DOCTYPE html><html><body><svg ` + space + ` width="1" height="1"/></body></html>`
	return append(list, sample{name: "page.html", data: []byte(page), want: probe.Info{MIME: "text/html"}})
}
