package attachment

import (
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"

	scale "golang.org/x/image/draw"
)

// reduce scales a picture down to the size, which must not be larger than the picture. Most of the way is gone by
// averaging squares of whole pixels, which needs one pass over the picture; the rest, less than half, by interpolation.
// The result is premultiplied, so that the colours of pixels that are not seen do not bleed.
func reduce(src image.Image, width, height int) *image.RGBA {
	b := src.Bounds()
	factor := max(1, min(b.Dx()/width, b.Dy()/height))
	// Squares that do not go up in a narrow picture would leave a part of it out.
	for factor > 1 && (b.Dx()%factor > b.Dx()/16 || b.Dy()%factor > b.Dy()/16) {
		factor--
	}
	small := boxed(src, factor)
	if small.Rect.Dx() == width && small.Rect.Dy() == height {
		return small
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	scale.BiLinear.Scale(dst, dst.Rect, small, small.Rect, scale.Src, nil)
	return dst
}

// boxed is the picture with squares of n × n pixels made one. What is left over at the right and the bottom is cut.
func boxed(src image.Image, n int) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, b.Dx()/n, b.Dy()/n))
	switch src := src.(type) {
	case *image.YCbCr:
		boxYCbCr(dst, src, n)
	case *image.RGBA:
		for y := range dst.Rect.Dy() {
			boxRow(dst, y, src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y*n):], src.Stride, n)
		}
	default:
		// Package draw knows every model; a band of rows at a time keeps the copy small.
		band := image.NewRGBA(image.Rect(0, 0, b.Dx(), n))
		for y := range dst.Rect.Dy() {
			draw.Draw(band, band.Rect, src, image.Pt(b.Min.X, b.Min.Y+y*n), draw.Src)
			boxRow(dst, y, band.Pix, band.Stride, n)
		}
	}
	return dst
}

// boxRow fills row y of dst from n rows of RGBA pixels.
func boxRow(dst *image.RGBA, y int, pix []byte, stride, n int) {
	out := dst.Pix[y*dst.Stride:][:4*dst.Rect.Dx()]
	if n == 1 {
		copy(out, pix)
		return
	}
	area := uint32(n * n)
	for x := 0; x < len(out); x += 4 {
		var r, g, b, a uint32
		for row := range n {
			in := pix[row*stride+x*n:][: 4*n : 4*n]
			for i := 0; i < len(in); i += 4 {
				r += uint32(in[i])
				g += uint32(in[i+1])
				b += uint32(in[i+2])
				a += uint32(in[i+3])
			}
		}
		half := area / 2
		out[x], out[x+1] = uint8((r+half)/area), uint8((g+half)/area)
		out[x+2], out[x+3] = uint8((b+half)/area), uint8((a+half)/area)
	}
}

// boxYCbCr averages in the model of the photo and converts what is left. A photo has fewer samples of colour than of
// light, and this is where most of the time goes.
func boxYCbCr(dst *image.RGBA, src *image.YCbCr, n int) {
	width, height := dst.Rect.Dx(), dst.Rect.Dy()
	light, blue, red := make([]uint8, width), make([]uint8, width), make([]uint8, width)
	subX, subY := subsampling(src.SubsampleRatio)
	sums := make([]uint32, src.Rect.Dx()+2*subX)
	left := src.Rect.Min.X
	planes := [3]plane{
		{src.Y, src.YStride, left, src.Rect.Min.Y, 1, 1, sums},
		{src.Cb, src.CStride, left / subX, src.Rect.Min.Y / subY, subX, subY, sums},
		{src.Cr, src.CStride, left / subX, src.Rect.Min.Y / subY, subX, subY, sums},
	}
	for y := range height {
		top := src.Rect.Min.Y + y*n
		planes[0].averages(light, left, top, n)
		planes[1].averages(blue, left, top, n)
		planes[2].averages(red, left, top, n)
		out := dst.Pix[y*dst.Stride:][:4*width]
		for x := range width {
			r, g, b := color.YCbCrToRGB(light[x], blue[x], red[x])
			out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = r, g, b, 0xff
		}
	}
}

// plane is one channel of a photo, with a sample for each subX × subY pixels.
type plane struct {
	pix        []uint8
	stride     int
	minX, minY int // In samples
	subX, subY int
	sums       []uint32 // Room for those of a row
}

// averages fills out with those of squares of n × n pixels from (x0, y0) on: of the samples that the square touches.
func (p *plane) averages(out []uint8, x0, y0, n int) {
	first, last := x0/p.subX-p.minX, (x0+len(out)*n-1)/p.subX-p.minX
	top, bottom := y0/p.subY-p.minY, (y0+n-1)/p.subY-p.minY
	sums := p.sums[:last-first+1]
	clear(sums)
	for row := top; row <= bottom; row += maxRows {
		addRows(sums, p.pix[row*p.stride+first:], p.stride, min(maxRows, bottom-row+1))
	}
	for i := range out {
		from, to := (x0+i*n)/p.subX-p.minX-first, (x0+i*n+n-1)/p.subX-p.minX-first
		var sum uint32
		for _, column := range sums[from : to+1] {
			sum += column
		}
		area := uint32((to - from + 1) * (bottom - top + 1))
		out[i] = uint8((sum + area/2) / area)
	}
}

// maxRows is how many samples of 8 bits can be added in 16.
const maxRows = 256

// addRows adds up the columns of so many rows. It takes eight columns at once, in two words with four lanes of 16 bits
// each, which makes it several times as fast as one by one.
func addRows(sums []uint32, pix []uint8, stride, rows int) {
	const lanes = 0x00ff00ff00ff00ff
	x := 0
	for ; x+8 <= len(sums); x += 8 {
		var even, odd uint64
		for row := range rows {
			eight := binary.LittleEndian.Uint64(pix[row*stride+x:])
			even += eight & lanes
			odd += eight >> 8 & lanes
		}
		for i := range 4 {
			sums[x+2*i] += uint32(even >> (16 * i) & 0xffff)
			sums[x+2*i+1] += uint32(odd >> (16 * i) & 0xffff)
		}
	}
	for ; x < len(sums); x++ {
		for row := range rows {
			sums[x] += uint32(pix[row*stride+x])
		}
	}
}

// subsampling is how many pixels share a sample of colour, across and down.
func subsampling(ratio image.YCbCrSubsampleRatio) (x, y int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}
