package probe

// Media types of what shares the container of MP4, by the brands of its file type box. The first brand that is known
// decides: the major one, or the first compatible one, since "mif1" and "iso6" say little.
var brands = map[string]string{
	"avif": "image/avif", "avis": "image/avif",
	"heic": "image/heic", "heix": "image/heic", "heim": "image/heic", "heis": "image/heic",
	"hevc": "image/heic-sequence", "hevx": "image/heic-sequence",
	"hevm": "image/heic-sequence", "hevs": "image/heic-sequence",
	"qt  ": "video/quicktime", "mqt ": "video/quicktime",
	"3gp1": "video/3gpp", "3gp2": "video/3gpp", "3gp3": "video/3gpp", "3gp4": "video/3gpp", "3gp5": "video/3gpp",
	"3gp6": "video/3gpp", "3gp7": "video/3gpp", "3gs7": "video/3gpp", "3ge6": "video/3gpp", "3gg6": "video/3gpp",
	"3g2a": "video/3gpp2", "3g2b": "video/3gpp2", "3g2c": "video/3gpp2",
	"mj2s": "video/mj2", "mjp2": "video/mj2",
	"M4A ": "video/mp4", "M4B ": "video/mp4", "M4P ": "video/mp4", "M4V ": "video/mp4", "M4VH": "video/mp4",
	"mp41": "video/mp4", "mp42": "video/mp4", "isom": "video/mp4", "iso2": "video/mp4", "iso3": "video/mp4",
	"iso4": "video/mp4", "iso5": "video/mp4", "iso6": "video/mp4", "avc1": "video/mp4", "dash": "video/mp4",
}

// vague are the brands of any picture and any sequence of pictures. They decide if no other does.
var vague = map[string]string{"mif1": "image/heif", "msf1": "image/heif-sequence"}

// maxBrands is how many compatible brands are looked at.
const maxBrands = 64

// readISO reads the boxes of MP4 and its kin. Pictures have a meta box, all else has a movie.
func readISO(s *source, info *Info) error {
	info.MIME = "video/quicktime" // The files of old have no file type box
	var m movie
	var pictures bool
	for b, err := range boxes(s, 0, s.size) {
		if err != nil {
			return m.describe(info, err)
		}
		switch b.kind {
		case "ftyp", "styp":
			if info.MIME, info.Animated, err = readBrands(s, b); err != nil {
				return err
			}
			pictures = family(info.MIME, "image")
		case "meta":
			if pictures {
				return readHEIF(s, b, info)
			}
		case "moov":
			// A sequence of pictures has both boxes, in any order.
			if err = m.read(s, b); err == nil && m.complete() && !pictures {
				return m.describe(info, nil)
			}
		case "sidx":
			err = m.readIndex(s, b)
		case "moof":
			err = m.readFragment(s, b)
		}
		if err != nil {
			return m.describe(info, err)
		}
	}
	if !m.found {
		return malformed("neither movie nor picture in it")
	}
	return m.describe(info, nil)
}

// sequences are the major brands of more than one picture.
var sequences = map[string]bool{"avis": true, "msf1": true, "hevc": true, "hevx": true, "hevm": true, "hevs": true}

// readBrands reads the file type box: the media type, and whether pictures are animated.
func readBrands(s *source, b box) (mime string, animated bool, err error) {
	fallback := "video/mp4"
	for i := range min(b.to-b.from, 8+4*maxBrands) / 4 {
		if i == 1 {
			continue // The minor version
		}
		brand, err := s.at(b.from+4*i, 4)
		if err != nil {
			return fallback, animated, err
		}
		if i == 0 {
			animated = sequences[string(brand)]
			if found, ok := vague[string(brand)]; ok {
				fallback = found
			}
		}
		found, ok := brands[string(brand)]
		if ok && (family(found, "image") || !family(fallback, "image")) {
			return found, animated, nil
		}
	}
	return fallback, animated, nil
}
