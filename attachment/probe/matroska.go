package probe

import (
	"errors"
	"math"
	"time"
)

// matroska is what a segment says.
type matroska struct {
	webm        bool
	scale       uint64  // Nanoseconds in a unit
	length      float64 // In units; 0 if it is not known
	last        int64   // Where the last block ends, in units
	frameLength map[uint64]uint64
	tracks      int
	audio       bool
	video       bool
}

// readMatroska reads Matroska and WebM. Recorders that don't know the length at the start, as those of browsers, leave
// it out; then the last block tells.
func readMatroska(s *source, info *Info) error {
	m := &matroska{scale: 1e6, frameLength: map[uint64]uint64{}}
	err := m.read(s, info)
	container := "x-matroska"
	if m.webm {
		container = "webm"
	}
	info.MIME = "video/" + container
	if m.audio && !m.video {
		info.MIME = "audio/" + container
	}
	units := m.length
	if !(units > 0) && !errors.Is(err, ErrLimit) {
		units = float64(m.last)
	}
	if length := units * float64(m.scale); length > 0 && length < float64(maxDuration) {
		info.Duration = time.Duration(math.Round(length))
	}
	return err
}

func (m *matroska) read(s *source, info *Info) error {
	for e, err := range elements(s, 0, s.size) {
		if err != nil {
			return err
		}
		switch e.id {
		case idHeader:
			for child, err := range e.children(s) {
				if err != nil {
					return err
				}
				if child.id == idDocType {
					kind, err := child.text(s)
					if err != nil {
						return err
					}
					m.webm = kind == "webm"
				}
			}
		case idSegment:
			return m.readSegment(s, e, info)
		}
	}
	return malformed("Matroska without a segment")
}

// readSegment reads up to the first cluster, and beyond if something is missing.
func (m *matroska) readSegment(s *source, segment element, info *Info) error {
	for e, err := range segment.children(s) {
		if err != nil {
			return err
		}
		switch e.id {
		case idInfo:
			err = m.readInfo(s, e)
		case idTracks:
			err = m.readTracks(s, e, info)
		case idCluster:
			if m.tracks == 0 && !e.unknown {
				continue // The tracks may stand behind it
			}
			if m.length > 0 {
				return nil
			}
			return m.readEnd(s, e, segment.to)
		}
		if err != nil {
			return err
		}
	}
	if m.tracks == 0 {
		return malformed("Matroska without tracks")
	}
	return nil
}

func (m *matroska) readInfo(s *source, e element) error {
	for child, err := range e.children(s) {
		if err != nil {
			return err
		}
		switch child.id {
		case idScale:
			if m.scale, err = child.uint(s); m.scale == 0 {
				m.scale = 1e6
			}
		case idDuration:
			m.length, err = child.float(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *matroska) readTracks(s *source, e element, info *Info) error {
	for child, err := range e.children(s) {
		if err != nil {
			return err
		}
		if child.id == idTrackEntry && m.tracks < maxTracks {
			m.tracks++
			if err := m.readTrack(s, child, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *matroska) readTrack(s *source, e element, info *Info) error {
	var number, kind, frame uint64
	var codec string
	var picture element
	for child, err := range e.children(s) {
		if err != nil {
			return err
		}
		switch child.id {
		case idTrackNumber:
			number, err = child.uint(s)
		case idTrackType:
			kind, err = child.uint(s)
		case idFrameLength:
			frame, err = child.uint(s)
		case idCodecID:
			codec, err = child.text(s)
		case idVideo:
			picture = child
		}
		if err != nil {
			return err
		}
	}
	m.frameLength[number] = frame
	switch kind {
	case 1:
		info.addCodec(codecOfTrack(codec))
		first := !m.video
		m.video = true
		if first {
			return readPicture(s, picture, info)
		}
	case 2:
		m.audio = true
		info.addCodec(codecOfTrack(codec))
	}
	return nil
}

// readPicture reads a video's size: the one to show, or the stored one with the sides' ratio of that.
func readPicture(s *source, e element, info *Info) error {
	sizes := map[uint32]uint64{}
	for child, err := range e.children(s) {
		if err != nil {
			return err
		}
		switch child.id {
		case idPixelWidth, idPixelHeight, idDisplayWidth, idDisplayHeight, idDisplayUnit, idAlphaMode:
			v, err := child.uint(s)
			if err != nil {
				return err
			}
			sizes[child.id] = min(v, math.MaxInt32)
		}
	}
	width, height := sizes[idPixelWidth], sizes[idPixelHeight]
	if w, h := sizes[idDisplayWidth], sizes[idDisplayHeight]; w > 0 && h > 0 {
		switch sizes[idDisplayUnit] {
		case 0: // Pixels
			width, height = w, h
		case 1, 2, 3: // Centimetres, inches, or nothing but the ratio
			width = (height*w + h/2) / h
		}
	}
	info.Width, info.Height = int(width), int(height)
	info.Alpha = sizes[idAlphaMode] == 1
	return nil
}
