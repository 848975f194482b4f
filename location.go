package niobot

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// Location is a place on Earth (spec: Client-Server API, m.location). It is sent by [Context.Respond], [Bot.Send] and
// their kin; [Message.Location] reads one.
type Location struct {
	Latitude  float64 // Degrees north, from -90 to 90 (WGS 84)
	Longitude float64 // Degrees east, from -180 to 180

	Altitude    float64 // Metres above the ellipsoid; it counts where HasAltitude is set
	HasAltitude bool
	Uncertainty float64 // Metres; zero: not said

	Text string // What is there, such as "Big Ben, London"; empty: the coordinates
}

// geoURI matches a geo URI (RFC 5870, section 3.3), whose parts are looked at later.
var geoURI = regexp.MustCompile(`(?i)^geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)(?:,(-?\d+(?:\.\d+)?))?((?:;[a-z0-9-]+` +
	`(?:=(?:[a-z0-9_.!~*'()\[\]:&+$-]|%[0-9a-f]{2})+)?)*)$`)

// maxGeoURI is how long a geo URI may be that is read, in bytes.
const maxGeoURI = 1024

// ParseGeoURI reads a geo URI (RFC 5870), such as "geo:51.5008,0.1247;u=35". It knows WGS 84, the only coordinate
// system that has a name; parameters other than the uncertainty are passed over. An error says what is wrong.
func ParseGeoURI(uri string) (Location, error) {
	if len(uri) > maxGeoURI {
		return Location{}, fmt.Errorf("geo URI of %d bytes", len(uri))
	}
	parts := geoURI.FindStringSubmatch(uri)
	if parts == nil {
		return Location{}, fmt.Errorf("%q is no geo URI; one looks like geo:51.5,-0.12", uri)
	}
	var l Location
	var err error
	for i, into := range []*float64{&l.Latitude, &l.Longitude, &l.Altitude} {
		if parts[1+i] == "" {
			continue
		}
		if *into, err = strconv.ParseFloat(parts[1+i], 64); err != nil {
			return Location{}, fmt.Errorf("geo URI: %w", err)
		}
	}
	l.HasAltitude = parts[3] != ""
	if err := l.readParameters(parts[4]); err != nil {
		return Location{}, fmt.Errorf("geo URI: %w", err)
	}
	if err := l.check(); err != nil {
		return Location{}, fmt.Errorf("geo URI: %w", err)
	}
	return l, nil
}

func (l *Location) readParameters(text string) (err error) {
	known, uncertain := 0, false // The parameters that the RFC itself has come first, in their order.
	for n, parameter := range strings.Split(text, ";")[1:] {
		name, value, _ := strings.Cut(parameter, "=")
		switch strings.ToLower(name) {
		case "crs":
			if n != 0 || !strings.EqualFold(value, "wgs84") {
				return fmt.Errorf("the coordinate system %q at place %d; only wgs84 is known, and first", value, n+1)
			}
			known++
		case "u":
			if n != known || uncertain || strings.HasPrefix(value, "-") {
				return fmt.Errorf("the uncertainty %q at place %d", value, n+1)
			}
			uncertain = true
			if l.Uncertainty, err = strconv.ParseFloat(value, 64); err != nil {
				return fmt.Errorf("the uncertainty: %w", err)
			}
		}
	}
	return nil
}

func (l Location) check() error {
	for _, value := range []float64{l.Latitude, l.Longitude, l.Altitude, l.Uncertainty} {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("%v is no number", value)
		}
	}
	switch {
	case math.Abs(l.Latitude) > 90:
		return fmt.Errorf("latitude %v is not from -90 to 90", l.Latitude)
	case math.Abs(l.Longitude) > 180:
		return fmt.Errorf("longitude %v is not from -180 to 180", l.Longitude)
	case l.Uncertainty < 0:
		return fmt.Errorf("uncertainty %v is negative", l.Uncertainty)
	}
	return nil
}

// GeoURI is the place as a geo URI (RFC 5870).
func (l Location) GeoURI() string {
	uri := "geo:" + decimal(l.Latitude) + "," + decimal(l.Longitude)
	if l.HasAltitude {
		uri += "," + decimal(l.Altitude)
	}
	if l.Uncertainty > 0 {
		uri += ";u=" + decimal(l.Uncertainty)
	}
	return uri
}

// decimal is a number without an exponent, which geo URIs do not have, and without the sign of a zero.
func decimal(f float64) string { return strconv.FormatFloat(f+0, 'f', -1, 64) }

// Body implements [Content].
func (l Location) Body() Body {
	if l.Text != "" {
		return Plain(l.Text)
	}
	return Plain(decimal(l.Latitude) + ", " + decimal(l.Longitude))
}

func (l Location) event() (event.Type, any, error) {
	if err := l.check(); err != nil {
		return event.Type{}, nil, fmt.Errorf("location: %w", err)
	}
	content := locationContent{MsgType: event.MsgLocation, Body: l.Body().Text, GeoURI: l.GeoURI()}
	content.Location.URI, content.Location.Text, content.Asset.Type = content.GeoURI, l.Text, "m.pin"
	return event.EventMessage, content, nil
}

// locationContent is what the specification has, and what clients need to show a pin rather than where the bot is
// (MSC3488).
type locationContent struct {
	MsgType  event.MessageType `json:"msgtype"`
	Body     string            `json:"body"`
	GeoURI   string            `json:"geo_uri"`
	Location struct {
		URI  string `json:"uri"`
		Text string `json:"description,omitempty"`
	} `json:"org.matrix.msc3488.location"`
	Asset struct {
		Type string `json:"type"`
	} `json:"org.matrix.msc3488.asset"`
}

// Location is the place that the message tells of; ok is false where it tells of none, or of none that can be read.
func (m *Message) Location() (l Location, ok bool) {
	if m.MsgType != event.MsgLocation {
		return Location{}, false
	}
	content := m.kept.Content
	if m.Replaces != "" {
		if edited := syncjson.Get(content, "m.new_content"); syncjson.IsObject(edited) {
			content = edited
		}
	}
	l, err := ParseGeoURI(syncjson.GetString(content, "geo_uri"))
	l.Text = m.Body
	return l, err == nil
}
