package probe

import (
	"encoding/binary"
)

// Tags of a TIFF's directory (TIFF 6.0, section 8), which EXIF shares.
const (
	tagWidth        = 0x100
	tagHeight       = 0x101
	tagOrientation  = 0x112
	tagExtraSamples = 0x152
)

// maxTags is how many entries of a directory are looked at.
const maxTags = 4096

// directory is what the first directory of a TIFF says.
type directory struct {
	width, height, orientation int
	alpha                      bool
}

// readDirectory reads the first directory of the TIFF between two offsets. EXIF is a TIFF without pixels.
func readDirectory(s *source, from, to int64) (directory, error) {
	var d directory
	head, err := s.at(from, 8)
	if err != nil {
		return d, err
	}
	var order binary.ByteOrder
	switch string(head[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return d, malformed("TIFF header")
	}
	at := from + int64(order.Uint32(head[4:]))
	count, err := s.at(at, 2)
	if err != nil {
		return d, err
	}
	n := min(int(order.Uint16(count)), maxTags)
	for i := range n {
		off := at + 2 + 12*int64(i)
		if off+12 > to {
			return d, errLeft
		}
		entry, err := s.at(off, 12)
		if err != nil {
			return d, err
		}
		var value int
		switch order.Uint16(entry[2:]) {
		case 3:
			value = int(order.Uint16(entry[8:]))
		case 4:
			value = int(order.Uint32(entry[8:]))
		default:
			continue
		}
		switch order.Uint16(entry) {
		case tagWidth:
			d.width = value
		case tagHeight:
			d.height = value
		case tagOrientation:
			d.orientation = value
		case tagExtraSamples:
			d.alpha = value == 1 || value == 2
		}
	}
	return d, nil
}

// readEXIF takes over the orientation of the EXIF data between two offsets. EXIF that is broken says nothing, as in
// browsers; only what stops all reading is an error.
func readEXIF(s *source, from, to int64, info *Info) error {
	if prefix, err := s.at(from, 6); err == nil && string(prefix) == "Exif\x00\x00" {
		from += 6
	}
	d, err := readDirectory(s, from, to)
	if err == nil && d.orientation >= 1 && d.orientation <= 8 {
		info.Orientation = d.orientation
	}
	if err != nil && !partial(err) {
		return err
	}
	return nil
}

// readTIFF reads the size of the first page.
func readTIFF(s *source, info *Info) error {
	d, err := readDirectory(s, 0, s.size)
	info.Width, info.Height, info.Orientation, info.Alpha = d.width, d.height, d.orientation, d.alpha
	return err
}
