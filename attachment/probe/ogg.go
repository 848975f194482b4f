package probe

import (
	"bytes"
	"encoding/binary"
	"time"
)

// maxStreams is how many streams of an Ogg file are looked at.
const maxStreams = 16

// oggPage is the head of a page (RFC 3533).
type oggPage struct {
	flags   byte
	granule uint64 // All ones if no packet ends on it
	serial  uint32
	body    int64
	to      int64
	lengths []byte // Of the segments; valid until the source's next call
}

const (
	oggFirst  = 2
	noGranule = 1<<64 - 1
	oggHeader = 27
)

// oggStream is a logical stream and how its granules count.
type oggStream struct {
	serial uint32
	codec  string
	rate   uint64 // Granules in a second
	skip   uint64 // Granules at the start that are not played
	frame  uint64 // Theora: rate / frame are the frames in a second
	shift  uint   // Theora: that many low bits count the frames since the last key frame
	begin  uint64 // The granule that it starts from, if known
	end    uint64 // Its last granule
}

// length is how long the stream plays.
func (o *oggStream) length() time.Duration {
	end := o.end
	if o.frame > 0 {
		frames := end>>o.shift + end&(1<<o.shift-1)
		return ticks(min(frames, 1<<31)*o.frame, o.rate)
	}
	if from := o.begin + o.skip; end > from {
		return ticks(end-from, o.rate)
	}
	return 0
}

// readOgg reads Ogg: Opus, Vorbis, FLAC, Speex and Theora in it. The last page says how long it plays. Where another
// stream stands at the end than at the start, one file was appended to another, and all pages are looked at.
func readOgg(s *source, info *Info) error {
	info.MIME = "audio/ogg"
	streams, off, err := readOggHeads(s, info)
	main := mainStream(streams)
	if err != nil || main == nil {
		return err
	}
	if err := main.readBegin(s, off); err != nil && !partial(err) {
		return err
	}
	found, err := main.readEnd(s, streams)
	if err != nil {
		return err
	}
	if !found {
		return readChain(s, info)
	}
	info.Duration = main.length()
	return nil
}

// mainStream is the one that tells the length: sound before pictures, since its granules are simple. It is nil if no
// stream is known.
func mainStream(streams []*oggStream) *oggStream {
	var main *oggStream
	for _, o := range streams {
		if o.rate > 0 && (main == nil || main.frame > 0 && o.frame == 0) {
			main = o
		}
	}
	return main
}

// readOggPage reads the head of a page.
func readOggPage(s *source, off int64) (oggPage, error) {
	head, err := s.at(off, oggHeader)
	if err != nil {
		return oggPage{}, err
	}
	if string(head[:4]) != "OggS" || head[4] != 0 {
		return oggPage{}, malformed("page of an Ogg file")
	}
	p := oggPage{
		flags:   head[5],
		granule: binary.LittleEndian.Uint64(head[6:]),
		serial:  binary.LittleEndian.Uint32(head[14:]),
	}
	n := int(head[26])
	if p.lengths, err = s.at(off+oggHeader, n); err != nil {
		return oggPage{}, err
	}
	p.body = off + oggHeader + int64(n)
	p.to = p.body
	for _, length := range p.lengths {
		p.to += int64(length)
	}
	return p, nil
}

// readOggHeads reads the first pages, of which each stream has one, and gives the streams and the offset behind. One
// that is not known has no rate.
func readOggHeads(s *source, info *Info) ([]*oggStream, int64, error) {
	var streams []*oggStream
	for off, n := int64(0), 0; n <= maxStreams; n++ {
		p, err := readOggPage(s, off)
		if err != nil {
			return streams, off, err
		}
		if p.flags&oggFirst == 0 {
			return streams, off, nil
		}
		head, err := s.at(p.body, int(min(p.to-p.body, 64)))
		if err != nil {
			return streams, off, err
		}
		o := identify(head, info)
		o.serial = p.serial
		streams = append(streams, o)
		info.addCodec(o.codec)
		if off = p.to; off >= s.size {
			return streams, off, nil
		}
	}
	return streams, 0, malformed("too many streams")
}

// identify reads a stream's first packet. A stream that plays nothing, such as a skeleton, has no rate.
func identify(head []byte, info *Info) *oggStream {
	has := func(magic string, n int) bool { return len(head) >= n && bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("OpusHead", 19):
		// Granules count at 48 kHz whatever the input's rate was (RFC 7845, section 4).
		return &oggStream{codec: "opus", rate: 48000, skip: uint64(binary.LittleEndian.Uint16(head[10:]))}
	case has("\x01vorbis", 30):
		return &oggStream{codec: "vorbis", rate: uint64(binary.LittleEndian.Uint32(head[12:]))}
	case has("\x7fFLAC", 13+4+18):
		return &oggStream{codec: "flac", rate: uint64(binary.BigEndian.Uint32(head[13+4+10:])) >> 12}
	case has("Speex   ", 40):
		return &oggStream{codec: "speex", rate: uint64(binary.LittleEndian.Uint32(head[36:]))}
	case has("\x80theora", 42):
		info.MIME = "video/ogg"
		info.Width = int(head[14])<<16 | int(head[15])<<8 | int(head[16])
		info.Height = int(head[17])<<16 | int(head[18])<<8 | int(head[19])
		return &oggStream{
			codec: "theora",
			rate:  uint64(binary.BigEndian.Uint32(head[22:])),
			frame: uint64(binary.BigEndian.Uint32(head[26:])),
			shift: uint(head[40]&3)<<3 | uint(head[41]>>5),
		}
	}
	return &oggStream{}
}
