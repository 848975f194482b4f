package probe

import (
	"bytes"
	"encoding/binary"
)

// maxItems is how many properties and items of a picture are looked at; a large one of a phone has some 60 tiles.
const maxItems = 1024

// property is what may be said of a picture (ISO/IEC 23008-12, 6.5).
type property struct {
	kind          string
	width, height int  // ispe; clap, which leaves out what stands at the edges to fill blocks
	value         byte // irot: quarters against the clock; imir: 0 exchanges top and bottom, 1 left and right
}

// readHEIF reads the meta box of a HEIC or AVIF picture: the properties of its primary item, in their order.
func readHEIF(s *source, meta box, info *Info) error {
	var primary uint32
	var properties []property
	var links box
	for b, err := range boxes(s, meta.from+4, meta.to) {
		if err != nil {
			return err
		}
		switch b.kind {
		case "pitm":
			primary, err = readPrimary(s, b)
		case "iinf":
			err = readItems(s, b, info)
		case "iprp":
			properties, links, err = readProperties(s, b, info)
		}
		if err != nil {
			return err
		}
	}
	if len(properties) == 0 || links.to == 0 {
		return malformed("picture without properties")
	}
	var turned turning
	err := readLinks(s, links, primary, func(index int) {
		if index < 1 || index > len(properties) {
			return
		}
		switch p := properties[index-1]; p.kind {
		case "ispe":
			info.Width, info.Height = p.width, p.height
		case "clap":
			if p.width > 0 && p.width <= info.Width && p.height > 0 && p.height <= info.Height {
				info.Width, info.Height = p.width, p.height
			}
		case "irot":
			turned.turn(-int(p.value & 3))
		case "imir":
			turned.mirror()
			if p.value&1 == 0 {
				turned.turn(2)
			}
		}
	})
	info.Orientation = turned.orientation()
	if err == nil && info.Width == 0 {
		err = malformed("picture without a size")
	}
	return err
}

// readPrimary reads which item is the picture; the others are its tiles, its thumbnail, and its EXIF data, which is not
// to be used for turning.
func readPrimary(s *source, b box) (uint32, error) {
	version, _, body, err := b.versioned(s, 6)
	if err != nil {
		return 0, err
	}
	if version == 0 {
		return uint32(binary.BigEndian.Uint16(body[4:])), nil
	}
	if _, _, body, err = b.versioned(s, 8); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(body[4:]), nil
}

// readItems notes the codecs of the items.
func readItems(s *source, b box, info *Info) error {
	version, _, _, err := b.versioned(s, 6)
	if err != nil {
		return err
	}
	from := b.from + 6
	if version > 0 {
		from += 2
	}
	n := 0
	for item, err := range boxes(s, from, b.to) {
		if err != nil {
			return err
		}
		if n++; n > maxItems {
			break
		}
		version, _, _, err := item.versioned(s, 4)
		if err != nil {
			return err
		}
		at := 8
		if version >= 3 {
			at = 10
		}
		if item.kind != "infe" || version < 2 {
			continue
		}
		_, _, body, err := item.versioned(s, at+4)
		if err != nil {
			return err
		}
		switch codec := codecOfEntry(string(body[at:])); codec {
		case "hevc", "av1", "vvc", "h264", "mjpeg":
			info.addCodec(codec)
		}
	}
	return nil
}

// readProperties reads the list of properties, and finds the box that links items to them.
func readProperties(s *source, iprp box, info *Info) ([]property, box, error) {
	var list []property
	var links box
	for b, err := range iprp.children(s) {
		if err != nil {
			return nil, box{}, err
		}
		switch b.kind {
		case "ipma":
			links = b
		case "ipco":
			for child, err := range b.children(s) {
				if err != nil {
					return nil, box{}, err
				}
				if len(list) == maxItems {
					break
				}
				p, err := readProperty(s, child, info)
				if err != nil {
					return nil, box{}, err
				}
				list = append(list, p)
			}
		}
	}
	return list, links, nil
}

// readProperty reads one of them. That there is an alpha plane is a property of the plane.
func readProperty(s *source, b box, info *Info) (property, error) {
	p := property{kind: b.kind}
	switch b.kind {
	case "ispe":
		_, _, body, err := b.versioned(s, 12)
		if err != nil {
			return p, err
		}
		p.width = int(binary.BigEndian.Uint32(body[4:]) & 0x7fffffff)
		p.height = int(binary.BigEndian.Uint32(body[8:]) & 0x7fffffff)
	case "clap":
		body, err := s.at(b.from, 16)
		if err != nil {
			return p, err
		}
		p.width, p.height = quotient(body), quotient(body[8:])
	case "irot", "imir":
		body, err := s.at(b.from, 1)
		if err != nil {
			return p, err
		}
		p.value = body[0]
	case "auxC":
		body, err := s.at(b.from, int(min(b.to-b.from, 64)))
		if err != nil {
			return p, err
		}
		if bytes.Contains(body, []byte(":alpha")) || bytes.Contains(body, []byte("hevc:2015:auxid:1")) {
			info.Alpha = true
		}
	}
	return p, nil
}

// quotient is a fraction of two numbers as a whole one, or 0.
func quotient(b []byte) int {
	if divisor := binary.BigEndian.Uint32(b[4:]); divisor > 0 {
		return int(binary.BigEndian.Uint32(b) / divisor)
	}
	return 0
}

// readLinks reads an ipma box and gives the numbers, from 1, of the primary item's properties.
func readLinks(s *source, b box, primary uint32, use func(int)) error {
	version, flags, body, err := b.versioned(s, 8)
	if err != nil {
		return err
	}
	items, off := binary.BigEndian.Uint32(body[4:]), b.from+8
	idSize, linkSize := 2, int64(1)
	if version > 0 {
		idSize = 4
	}
	if flags&1 != 0 {
		linkSize = 2
	}
	for range items {
		head, err := s.at(off, idSize+1)
		if err != nil {
			return err
		}
		var id uint32
		for _, c := range head[:idSize] {
			id = id<<8 | uint32(c)
		}
		count := int64(head[idSize])
		off += int64(idSize) + 1
		if id != primary {
			off += count * linkSize
			continue
		}
		for i := range count {
			link, err := s.at(off+i*linkSize, int(linkSize))
			if err != nil {
				return err
			}
			if linkSize == 2 {
				use(int(binary.BigEndian.Uint16(link) & 0x7fff))
			} else {
				use(int(link[0] & 0x7f))
			}
		}
		return nil
	}
	return nil
}
