package niobot_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

func TestParseGeoURI(t *testing.T) {
	for _, test := range []struct {
		uri  string
		want niobot.Location
	}{
		{"geo:51.5008,0.1247", niobot.Location{Latitude: 51.5008, Longitude: 0.1247}},
		{"GEO:-90,180", niobot.Location{Latitude: -90, Longitude: 180}},
		{"geo:0,0,0", niobot.Location{HasAltitude: true}},
		{"geo:48.2,16.3,183.5;u=40", niobot.Location{Latitude: 48.2, Longitude: 16.3, Altitude: 183.5, HasAltitude: true, Uncertainty: 40}},
		{"geo:1,2;crs=WGS84;u=0.5", niobot.Location{Latitude: 1, Longitude: 2, Uncertainty: 0.5}},
		{"geo:1,2;u=3;name=a%20b;flag", niobot.Location{Latitude: 1, Longitude: 2, Uncertainty: 3}},
	} {
		got, err := niobot.ParseGeoURI(test.uri)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.uri, got, err, test.want)
		}
		if back, err := niobot.ParseGeoURI(got.GeoURI()); err != nil || back != got {
			t.Errorf("%s written and read again is %+v, %v", got.GeoURI(), back, err)
		}
	}
	for _, uri := range []string{
		"", "geo:", "geo:1", "geo:1,2,3,4", "geo:91,0", "geo:0,181", "geo:1e3,2", "geo:+1,2", "geo: 1,2", "geo:1,2;",
		"geo:1,2;u=", "geo:1,2;u=-1", "geo:1,2;u=a", "geo:1,2;crs=nad27", "geo:1,2;u=1;crs=wgs84", "geo:1,2;u=1;u=2",
		"geo:1,2;a=%zz", "geo:1,2\n", "http:1,2", "geo:.5,1", "geo:1.,1", "geo:NaN,1",
		"geo:" + strings.Repeat("1", 2000) + ",1",
	} {
		if got, err := niobot.ParseGeoURI(uri); err == nil {
			t.Errorf("%.40q is read as %+v", uri, got)
		}
	}
}

func FuzzParseGeoURI(f *testing.F) {
	f.Add("geo:48.2,16.3,183.5;crs=wgs84;u=40;a=b")
	f.Fuzz(func(t *testing.T, uri string) {
		l, err := niobot.ParseGeoURI(uri)
		if err != nil {
			return
		}
		if back, err := niobot.ParseGeoURI(l.GeoURI()); err != nil || back != l {
			t.Errorf("%q is %+v; written and read again, %+v, %v", uri, l, back, err)
		}
	})
}

func TestLocationIsSentAndRead(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{command("where", func(ctx context.Context, c *niobot.Context) error {
		if _, err := c.Respond(ctx, niobot.Location{Latitude: math.NaN()}); err == nil {
			t.Error("a place without coordinates is sent")
		}
		_, err := c.Respond(ctx, niobot.Location{Latitude: 51.5, Longitude: -0.125, Text: "Big Ben"})
		return err
	})}}, func(h *house) {
		h.alice.say("!where")
		h.wantSaid("Big Ben")
		var content struct {
			Type    string `json:"msgtype"`
			URI     string `json:"geo_uri"`
			Relates struct {
				Reply struct {
					ID string `json:"event_id"`
				} `json:"m.in_reply_to"`
			} `json:"m.relates_to"`
		}
		h.must(json.Unmarshal(h.told()[0].Content.VeryRaw, &content))
		if content.Type != "m.location" || content.URI != "geo:51.5,-0.125" || content.Relates.Reply.ID == "" {
			t.Errorf("the event says %+v", content)
		}
		m, err := h.bot.Message(h.t.Context(), h.room, h.told()[0].ID)
		h.must(err)
		want := niobot.Location{Latitude: 51.5, Longitude: -0.125, Text: "Big Ben"}
		if got, ok := m.Location(); !ok || got != want {
			t.Errorf("the place is %+v, %t", got, ok)
		}
		if _, ok := (&niobot.Message{MsgType: "m.text"}).Location(); ok {
			t.Error("a text is a place")
		}
	})
}
