package probe

import (
	"encoding/binary"
	"errors"
	"time"
)

// maxTracks is how many tracks of a film are looked at.
const maxTracks = 64

// track is a trak box of a movie, or what its fragments add to it.
type track struct {
	id            uint32
	enabled       bool
	handler       string // "vide", "soun", "pict" and others
	width, height int
	orientation   int
	codec         string
	scale         uint32 // Units in a second
	sampleLength  uint32 // Of fragments that don't say it themselves, in units
	begin, end    uint64 // Of the fragments, in units
	fragmented    bool
}

// movie is what the moov box says, together with the fragments behind it.
type movie struct {
	found, fragmented bool
	scale             uint32
	length            uint64                   // In units of scale; 0 if it is not known
	indexed           map[uint32]time.Duration // What indexes list, by track
	tracks            []*track
}

// complete tells whether the boxes behind the movie can add nothing.
func (m *movie) complete() bool { return m.length > 0 || !m.fragmented }

// read reads a moov box.
func (m *movie) read(s *source, moov box) error {
	m.found = true
	lengths := map[uint32]uint32{} // Of samples, by track
	for b, err := range moov.children(s) {
		if err != nil {
			return err
		}
		switch b.kind {
		case "mvhd":
			m.scale, m.length, err = readLength(s, b)
		case "trak":
			if len(m.tracks) == maxTracks {
				break
			}
			t := &track{}
			m.tracks = append(m.tracks, t)
			err = t.read(s, b)
		case "mvex":
			m.fragmented = true
			err = m.readExtends(s, b, lengths)
		}
		if err != nil {
			return err
		}
	}
	for _, t := range m.tracks {
		t.sampleLength = lengths[t.id]
	}
	return nil
}

// readLength reads the scale and the length of mvhd and mdhd, which begin alike, and of mehd's kind of number: all ones
// mean that nobody knows.
func readLength(s *source, b box) (scale uint32, length uint64, err error) {
	version, _, _, err := b.versioned(s, 4)
	if err != nil {
		return 0, 0, err
	}
	if version == 1 {
		_, _, body, err := b.versioned(s, 32)
		if err != nil {
			return 0, 0, err
		}
		scale, length = binary.BigEndian.Uint32(body[20:]), binary.BigEndian.Uint64(body[24:])
	} else {
		_, _, body, err := b.versioned(s, 20)
		if err != nil {
			return 0, 0, err
		}
		scale, length = binary.BigEndian.Uint32(body[12:]), uint64(binary.BigEndian.Uint32(body[16:]))
		if length == 1<<32-1 {
			length = 0
		}
	}
	if length == 1<<64-1 {
		length = 0
	}
	return scale, length, nil
}

// readExtends reads what holds for all fragments: the length of the film, and of each track's samples.
func (m *movie) readExtends(s *source, mvex box, lengths map[uint32]uint32) error {
	for b, err := range mvex.children(s) {
		if err != nil {
			return err
		}
		switch b.kind {
		case "mehd":
			version, _, body, err := b.versioned(s, 8)
			if err != nil {
				return err
			}
			length := uint64(binary.BigEndian.Uint32(body[4:]))
			if version == 1 {
				if _, _, body, err = b.versioned(s, 12); err != nil {
					return err
				}
				length = binary.BigEndian.Uint64(body[4:])
			}
			m.length = max(m.length, length)
		case "trex":
			_, _, body, err := b.versioned(s, 16)
			if err != nil {
				return err
			}
			if len(lengths) < maxTracks {
				lengths[binary.BigEndian.Uint32(body[4:])] = binary.BigEndian.Uint32(body[12:])
			}
		}
	}
	return nil
}

// read reads a trak box.
func (t *track) read(s *source, trak box) error {
	for b, err := range trak.children(s) {
		if err != nil {
			return err
		}
		switch b.kind {
		case "tkhd":
			err = t.readHeader(s, b)
		case "mdia":
			err = t.readMedia(s, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readHeader reads the track's number, size and matrix.
func (t *track) readHeader(s *source, b box) error {
	version, flags, _, err := b.versioned(s, 4)
	if err != nil {
		return err
	}
	at, idAt := 40, 12
	if version == 1 {
		at, idAt = 52, 20
	}
	_, _, body, err := b.versioned(s, at+44)
	if err != nil {
		return err
	}
	t.enabled = flags&1 != 0
	t.id = binary.BigEndian.Uint32(body[idAt:])
	cell := func(i int) int32 { return int32(binary.BigEndian.Uint32(body[at+4*i:])) }
	t.orientation = matrixOrientation(cell(0), cell(1), cell(3), cell(4))
	t.width = int(binary.BigEndian.Uint32(body[at+36:]) >> 16)
	t.height = int(binary.BigEndian.Uint32(body[at+40:]) >> 16)
	return nil
}

// readMedia reads an mdia box: what kind of track it is, its scale, and down to the codec.
func (t *track) readMedia(s *source, mdia box) error {
	for b, err := range mdia.children(s) {
		if err != nil {
			return err
		}
		switch b.kind {
		case "mdhd":
			t.scale, _, err = readLength(s, b)
		case "hdlr":
			_, _, body, err := b.versioned(s, 12)
			if err != nil {
				return err
			}
			t.handler = string(body[8:12])
		case "minf":
			err = t.readDescriptions(s, b, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDescriptions goes from minf by stbl to stsd, whose first entry names the codec.
func (t *track) readDescriptions(s *source, parent box, depth int) error {
	for b, err := range parent.children(s) {
		if err != nil {
			return err
		}
		switch {
		case b.kind == "stbl" && depth == 0:
			return t.readDescriptions(s, b, depth+1)
		case b.kind == "stsd" && depth == 1:
			if b.from+16 > b.to {
				return nil
			}
			entry, err := readBox(s, b.from+8, b.to)
			if err != nil {
				return err
			}
			return t.readEntry(s, entry)
		}
	}
	return nil
}

// readEntry reads a sample entry: the codec, and the size of a video whose header has none.
func (t *track) readEntry(s *source, b box) error {
	t.codec = codecOfEntry(b.kind)
	if b.kind == "mp4a" && t.handler == "soun" {
		return t.readSound(s, b)
	}
	if t.handler == "vide" && (t.width == 0 || t.height == 0) {
		body, err := s.at(b.from, 28)
		if err != nil {
			return err
		}
		t.width = int(binary.BigEndian.Uint16(body[24:]))
		t.height = int(binary.BigEndian.Uint16(body[26:]))
	}
	return nil
}

// objects are the codecs that MPEG-4 sound may be instead of AAC, by their object types (mp4ra.org).
var objects = map[byte]string{
	0x69: "mp3", 0x6b: "mp3", 0xa5: "ac3", 0xa6: "eac3", 0xa9: "dts", 0xad: "opus", 0xdd: "vorbis",
}

// readSound looks into the description of MPEG-4 sound (ISO/IEC 14496-1, 7.2.6) for its object type.
func (t *track) readSound(s *source, b box) error {
	for child, err := range boxes(s, b.from+28, b.to) {
		if err != nil {
			// QuickTime's later versions have other fields before the boxes; AAC is a good guess.
			if partial(err) {
				return nil
			}
			return err
		}
		if child.kind != "esds" {
			continue
		}
		body, err := s.at(child.from, int(min(child.to-child.from, 32)))
		if err != nil {
			return err
		}
		stream, ok := descriptor(body[min(4, len(body)):], 3)
		if !ok || len(stream) < 3 {
			return nil
		}
		config, ok := descriptor(stream[3:], 4)
		if !ok || len(config) == 0 {
			return nil
		}
		if name, ok := objects[config[0]]; ok {
			t.codec = name
		}
		return nil
	}
	return nil
}

// descriptor gives the body of a descriptor with that tag, as far as there is one. Its size has seven bits in a byte.
func descriptor(b []byte, tag byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != tag {
		return nil, false
	}
	for i := 1; i < len(b) && i <= 4; i++ {
		if b[i]&0x80 == 0 {
			return b[i+1:], true
		}
	}
	return nil, false
}

// describe tells what was found, with or without an error on the way.
func (m *movie) describe(info *Info, err error) error {
	var video, audio bool
	for _, t := range m.tracks {
		switch t.handler {
		case "vide", "pict":
			if !t.enabled && len(m.tracks) > 1 {
				continue // The chapters' pictures of an audio book
			}
			if !video {
				info.Width, info.Height, info.Orientation = t.width, t.height, t.orientation
			}
			video = true
			info.addCodec(t.codec)
		case "soun":
			audio = true
			info.addCodec(t.codec)
		}
	}
	if audio && !video {
		switch info.MIME {
		case "video/mp4", "video/quicktime":
			info.MIME = "audio/mp4"
		case "video/3gpp":
			info.MIME = "audio/3gpp"
		case "video/3gpp2":
			info.MIME = "audio/3gpp2"
		}
	}
	info.Duration = ticks(m.length, uint64(m.scale))
	if info.Duration == 0 {
		for _, length := range m.indexed {
			info.Duration = max(info.Duration, length)
		}
	}
	if info.Duration == 0 && !errors.Is(err, ErrLimit) {
		for _, t := range m.tracks {
			if t.fragmented && t.end > t.begin {
				info.Duration = max(info.Duration, ticks(t.end-t.begin, uint64(t.scale)))
			}
		}
	}
	return err
}
