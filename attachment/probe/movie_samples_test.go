package probe_test

import (
	"bytes"
	"time"

	"github.com/niobot/niobot/attachment/probe"
)

// isoBox is a box of MP4.
func isoBox(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return join(uint32(8+len(body)), kind, body)
}

// largeBox is one whose size has 64 bits.
func largeBox(kind string, body []byte) []byte {
	return join(uint32(1), kind, uint64(16+len(body)), body)
}

func fileType(brands ...string) []byte {
	out := join(brands[0], uint32(512))
	for _, brand := range brands {
		out = append(out, brand...)
	}
	return isoBox("ftyp", out)
}

// movieHeader is an mvhd box.
func movieHeader(scale, length uint32) []byte {
	return isoBox("mvhd", join(uint32(0), uint64(0), scale, length, make([]byte, 80)))
}

// lateMovieHeader is an mvhd box with 64 bits.
func lateMovieHeader(scale uint32, length uint64) []byte {
	return isoBox("mvhd", join(uint32(1<<24), uint64(0), uint64(0), scale, length, make([]byte, 80)))
}

// Matrices of a track's header, as a, b, c and d.
var (
	upright   = [4]int32{1, 0, 0, 1}
	clockwise = [4]int32{0, 1, -1, 0}
	upended   = [4]int32{-1, 0, 0, -1}
	leftwards = [4]int32{0, -1, 1, 0}
	mirrored  = [4]int32{-1, 0, 0, 1}
)

// videoTrack is a track with pictures. The sample entry's size is the coded one.
func videoTrack(id uint32, codec string, width, height int, matrix [4]int32) []byte {
	fixed := func(v int32) uint32 { return uint32(v << 16) }
	header := isoBox("tkhd", join(uint32(3), uint64(0), id, make([]byte, 24), fixed(matrix[0]), fixed(matrix[1]),
		uint32(0), fixed(matrix[2]), fixed(matrix[3]), uint32(0), uint64(0), uint32(1<<30),
		uint32(width)<<16, uint32(height)<<16))
	entry := isoBox(codec, join(make([]byte, 24), uint16(1920), uint16(1088), make([]byte, 50)))
	return isoBox("trak", header, media("vide", 90000, entry))
}

// soundTrack is a track with sound.
func soundTrack(id uint32, codec string) []byte {
	header := isoBox("tkhd", join(uint32(1), uint64(0), id, make([]byte, 68)))
	return isoBox("trak", header, media("soun", 48000, isoBox(codec, make([]byte, 28))))
}

func media(handler string, scale uint32, entry []byte) []byte {
	return isoBox("mdia",
		isoBox("mdhd", join(uint32(0), uint64(0), scale, uint32(0), uint32(0))),
		isoBox("hdlr", join(uint32(0), uint32(0), handler, make([]byte, 13))),
		isoBox("minf", isoBox("stbl", isoBox("stsd", join(uint32(0), uint32(1), entry)))))
}

// fragment is a moof box with so many samples of a track, each with its length.
func fragment(id uint32, start uint64, lengths ...uint32) []byte {
	run := join(uint32(0x301), uint32(len(lengths)), uint32(0))
	for _, length := range lengths {
		run = join(run, length, uint32(99))
	}
	return isoBox("moof", isoBox("mfhd", join(uint32(0), uint32(1))), isoBox("traf",
		isoBox("tfhd", join(uint32(0x20000), id)),
		isoBox("tfdt", join(uint32(1<<24), start)), isoBox("trun", run)))
}

// movieSamples are MP4, MOV, 3GP and M4A.
func movieSamples() []sample {
	var list []sample
	add := func(name string, want probe.Info, boxes ...[]byte) {
		if want.Kind == probe.File {
			want.Kind = probe.Video
		}
		if want.Width > 0 && want.Orientation == 0 {
			want.Orientation = 1
		}
		list = append(list, sample{name: name, data: bytes.Join(boxes, nil), want: want})
	}
	both := []string{"h264", "aac"}
	mdat := isoBox("mdat", make([]byte, 300))
	film := func(matrix [4]int32) []byte {
		return isoBox("moov", movieHeader(1000, 12345), videoTrack(1, "avc1", 640, 360, matrix), soundTrack(2, "mp4a"))
	}
	length := 12345 * time.Millisecond
	mp4 := fileType("isom", "iso2", "avc1", "mp41")
	add("film.mp4", probe.Info{MIME: "video/mp4", Width: 640, Height: 360, Duration: length, Codecs: both},
		mp4, film(upright), mdat)
	add("version-like-a-brand.mp4", probe.Info{
		MIME: "video/mp4", Width: 640, Height: 360, Duration: length, Codecs: both,
	}, isoBox("ftyp", []byte("XXXXavifmp41")), film(upright))
	add("moov-last.mp4", probe.Info{MIME: "video/mp4", Width: 640, Height: 360, Duration: length, Codecs: both},
		mp4, isoBox("free"), largeBox("mdat", make([]byte, 9000)), film(upright))
	add("phone.mov", probe.Info{
		MIME: "video/quicktime", Width: 360, Height: 640, Orientation: 6, Duration: length, Codecs: both,
	}, fileType("qt  "), isoBox("wide"), mdat, film(clockwise))
	add("upended.mp4", probe.Info{
		MIME: "video/mp4", Width: 640, Height: 360, Orientation: 3, Duration: length, Codecs: both,
	}, fileType("mp42"), film(upended))
	add("leftwards.mp4", probe.Info{
		MIME: "video/mp4", Width: 360, Height: 640, Orientation: 8, Duration: length, Codecs: both,
	}, fileType("mp42"), film(leftwards))
	add("selfie.mp4", probe.Info{
		MIME: "video/mp4", Width: 640, Height: 360, Orientation: 2, Duration: length, Codecs: both,
	}, fileType("mp42"), film(mirrored))
	add("old.mov", probe.Info{MIME: "video/quicktime", Width: 640, Height: 360, Duration: length, Codecs: both},
		film(upright), mdat)
	add("phone.3gp", probe.Info{MIME: "video/3gpp", Width: 640, Height: 360, Duration: length, Codecs: both},
		fileType("3gp4"), film(upright))
	add("long.mp4", probe.Info{
		MIME: "video/mp4", Width: 1920, Height: 1088, Duration: 30 * time.Hour, Codecs: []string{"av1"},
	},
		mp4, isoBox("moov", lateMovieHeader(90000, 90000*3600*30), videoTrack(1, "av01", 0, 0, upright)))

	sound := isoBox("moov", movieHeader(48000, 48000*5), soundTrack(1, "mp4a"))
	add("song.m4a", probe.Info{MIME: "audio/mp4", Kind: probe.Audio, Duration: 5 * time.Second, Codecs: []string{"aac"}},
		fileType("M4A ", "mp42", "isom"), sound)
	add("only-sound.mp4", probe.Info{
		MIME: "audio/mp4", Kind: probe.Audio, Duration: 5 * time.Second, Codecs: []string{"aac"},
	}, mp4, sound)
	esds := isoBox("esds", join(uint32(0), "\x03\x80\x80\x80\x25\x00\x02\x00", "\x04\x80\x80\x80\x17\x6b\x15",
		make([]byte, 20)))
	mp3 := isoBox("trak", media("soun", 48000, isoBox("mp4a", make([]byte, 28), esds)))
	add("mp3.mp4", probe.Info{MIME: "audio/mp4", Kind: probe.Audio, Duration: time.Second, Codecs: []string{"mp3"}},
		mp4, isoBox("moov", movieHeader(600, 600), mp3))
	chapters := videoTrack(2, "jpeg", 100, 100, upright)
	chapters[8+8+3] &^= 1 // The track's flags: not enabled
	add("book.m4b", probe.Info{MIME: "audio/mp4", Kind: probe.Audio, Duration: 5 * time.Second, Codecs: []string{"aac"}},
		fileType("M4B "), isoBox("moov", movieHeader(48000, 48000*5), soundTrack(1, "mp4a"), chapters))

	extends := func(boxes ...[]byte) []byte {
		trex := isoBox("trex", join(uint32(0), uint32(1), uint32(1), uint32(3000), uint32(0), uint32(0)))
		return isoBox("moov", movieHeader(1000, 0), videoTrack(1, "vp09", 320, 240, upright),
			isoBox("mvex", append(boxes, trex)...))
	}
	pieces := probe.Info{MIME: "video/mp4", Width: 320, Height: 240, Duration: 4 * time.Second, Codecs: []string{"vp9"}}
	dash := fileType("iso6", "dash")
	add("mehd.mp4", pieces, dash, extends(isoBox("mehd", join(uint32(0), uint32(4000)))), fragment(1, 0, 1), mdat)
	index := join(uint32(0), uint32(1), uint32(90000), uint32(0), uint32(0), uint16(0), uint16(3),
		uint32(500), uint32(180000), uint32(0), uint32(1<<31|700), uint32(999999), uint32(0),
		uint32(500), uint32(180000), uint32(0))
	other := join(uint32(0), uint32(2), uint32(48000), uint32(0), uint32(0), uint16(0), uint16(1),
		uint32(300), uint32(48000*3), uint32(0))
	add("sidx.mp4", pieces, dash, extends(), isoBox("sidx", index), isoBox("sidx", other), fragment(1, 0, 1), mdat)
	add("moof.mp4", pieces, dash, extends(), fragment(1, 900000, 90000, 45000), mdat,
		fragment(1, 900000+135000, 90000), mdat, fragment(1, 900000+225000, 100000, 35000), mdat)
	counted := isoBox("moof", isoBox("traf", isoBox("tfhd", join(uint32(0x20000), uint32(1))),
		isoBox("trun", join(uint32(0), uint32(60)))))
	timed := isoBox("moof", isoBox("traf", isoBox("tfhd", join(uint32(0x2000a), uint32(1), uint32(1), uint32(6000))),
		isoBox("trun", join(uint32(0), uint32(30)))))
	add("default-lengths.mp4", pieces, dash, extends(), counted, mdat, timed, mdat)
	return list
}

// heif is a picture with properties, of which the primary item, number 2, has those listed.
func heif(brands []string, codec string, properties [][]byte, links ...byte) []byte {
	item := func(id uint16, kind string) []byte {
		return isoBox("infe", join(uint32(2<<24), id, uint16(0), kind, byte(0)))
	}
	association := join(uint32(0), uint32(2), uint16(1), byte(1), byte(1), uint16(2), byte(len(links)), links)
	meta := isoBox("meta", join(uint32(0)),
		isoBox("hdlr", join(uint32(0), uint32(0), "pict", make([]byte, 13))),
		isoBox("pitm", join(uint32(0), uint16(2))),
		isoBox("iinf", join(uint32(0), uint16(2)), item(1, codec), item(2, "grid")),
		isoBox("iprp", isoBox("ipco", properties...), isoBox("ipma", association)))
	return join(fileType(brands...), meta, isoBox("mdat", make([]byte, 50)))
}

func extent(width, height uint32) []byte { return isoBox("ispe", join(uint32(0), width, height)) }

// heifSamples are HEIC and AVIF. Property 1 is the size of a tile, 2 that of the picture.
func heifSamples() []sample {
	var list []sample
	add := func(name string, data []byte, want probe.Info) {
		want.Kind = probe.Image
		list = append(list, sample{name: name, data: data, want: want})
	}
	heic, avif := []string{"heic", "mif1", "heic"}, []string{"avif", "mif1", "miaf"}
	tile, whole := extent(512, 512), extent(4032, 3024)
	turn := func(quarters byte) []byte { return isoBox("irot", []byte{quarters}) }
	flip := func(axis byte) []byte { return isoBox("imir", []byte{axis}) }
	alpha := isoBox("auxC", join(uint32(0), "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\x00"))

	add("plain.heic", heif(heic, "hvc1", [][]byte{tile, whole}, 2),
		probe.Info{MIME: "image/heic", Width: 4032, Height: 3024, Orientation: 1, Codecs: []string{"hevc"}})
	add("phone.heic", heif(heic, "hvc1", [][]byte{tile, whole, turn(3)}, 0x80|2, 0x80|3),
		probe.Info{MIME: "image/heic", Width: 3024, Height: 4032, Orientation: 6, Codecs: []string{"hevc"}})
	add("mif1.heic", heif([]string{"mif1", "mif1", "heic"}, "hvc1", [][]byte{tile, whole, turn(1)}, 2, 3),
		probe.Info{MIME: "image/heic", Width: 3024, Height: 4032, Orientation: 8, Codecs: []string{"hevc"}})
	add("mif1.avif", heif([]string{"mif1", "miaf", "avif"}, "av01", [][]byte{tile, whole, turn(2)}, 2, 3),
		probe.Info{MIME: "image/avif", Width: 4032, Height: 3024, Orientation: 3, Codecs: []string{"av1"}})
	add("clear.avif", heif(avif, "av01", [][]byte{tile, whole, alpha}, 2),
		probe.Info{MIME: "image/avif", Width: 4032, Height: 3024, Orientation: 1, Alpha: true, Codecs: []string{"av1"}})
	add("mirrored.avif", heif(avif, "av01", [][]byte{tile, whole, flip(1)}, 2, 3),
		probe.Info{MIME: "image/avif", Width: 4032, Height: 3024, Orientation: 2, Codecs: []string{"av1"}})
	add("upside-down.avif", heif(avif, "av01", [][]byte{tile, whole, flip(0)}, 2, 3),
		probe.Info{MIME: "image/avif", Width: 4032, Height: 3024, Orientation: 4, Codecs: []string{"av1"}})
	add("transposed.avif", heif(avif, "av01", [][]byte{tile, whole, turn(1), flip(0)}, 2, 3, 4),
		probe.Info{MIME: "image/avif", Width: 3024, Height: 4032, Orientation: 5, Codecs: []string{"av1"}})
	clean := isoBox("clap", join(uint32(8000), uint32(2), uint32(3000), uint32(1), make([]byte, 16)))
	add("cropped.heic", heif(heic, "hvc1", [][]byte{tile, whole, clean, turn(3)}, 2, 3, 4),
		probe.Info{MIME: "image/heic", Width: 3000, Height: 4000, Orientation: 6, Codecs: []string{"hevc"}})
	add("animated.avif", heif([]string{"avis", "avif", "msf1"}, "av01", [][]byte{tile, whole}, 2),
		probe.Info{MIME: "image/avif", Width: 4032, Height: 3024, Orientation: 1, Animated: true, Codecs: []string{"av1"}})
	return list
}
