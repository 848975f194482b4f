package niobot

import (
	"reflect"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

func TestEveryTypeOfMautrixCanBeListenedFor(t *testing.T) {
	for typ, content := range event.TypeMap {
		e := &Event{Type: typ, kept: syncjson.Kept{Type: typ.Type, Content: "{}"}}
		if !e.isOf(typ) || typ.Class == event.UnknownEventType {
			t.Errorf("%s of class %s is not found", typ.Type, typ.Class.Name())
		}
		if err := e.decodeInto(reflect.New(content).Interface()); err != nil {
			t.Error(err)
		}
		if other := (event.Type{Type: typ.Type, Class: typ.Class + 1}); e.isOf(other) {
			t.Errorf("%s passes for one of class %s", typ.Type, other.Class.Name())
		}
		if !e.isOf(event.Type{Type: typ.Type}) {
			t.Errorf("%s is not found by its name", typ.Type)
		}
	}
}

// grumpy is a type whose decoding panics.
type grumpy struct{}

func (*grumpy) UnmarshalJSON([]byte) error { panic("no") }

func TestPanicOfATypesDecodingIsContentThatDoesNotDecode(t *testing.T) {
	e := &Event{kept: syncjson.Kept{Content: "{}"}}
	if _, made := contentOf[grumpy](e); made.err == nil {
		t.Error("no error")
	}
	if _, made := contentOf[grumpy](e); made.err == nil {
		t.Error("no error the second time")
	}
}
