package niobot

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"maunium.net/go/mautrix/event"
)

// contents are an event's content as the types it was asked for: mostly one, so that a list serves better than a map.
type contents struct {
	mu    sync.Mutex
	first *typedContent
}

// typedContent is an event's content as one type.
type typedContent struct {
	value any // A pointer to the type
	err   error
	told  atomic.Bool // Whether the error has been logged
	next  *typedContent
}

// contentOf decodes an event's content into a C, once for all who ask for that type.
func contentOf[C any](e *Event) (content *C, made *typedContent) {
	e.contents.mu.Lock()
	defer e.contents.mu.Unlock()
	for made = e.contents.first; made != nil; made = made.next {
		if content, ok := made.value.(*C); ok {
			return content, made
		}
	}
	content = new(C)
	made = &typedContent{value: content, err: e.decodeInto(content), next: e.contents.first}
	e.contents.first = made
	return content, made
}

// decodeInto is [Event.Decode] with a panic of a type's own UnmarshalJSON taken for what it is: content that this type
// can't hold.
func (e *Event) decodeInto(content any) error {
	if err := recovered(func() error { return json.Unmarshal([]byte(e.kept.Content), content) }); err != nil {
		return fmt.Errorf("decode content of %s: %w", e.Type.Type, err)
	}
	return nil
}

// isOf tells whether the event is of the type, name and class. A type without a class is any event of that name: what
// is called m.room.member and has no state key says nothing of members, since anybody may send it.
func (e *Event) isOf(t event.Type) bool {
	return e.Type.Type == t.Type && (t.Class == event.UnknownEventType || t.Class == e.Type.Class)
}

// checkContent panics where C is the content of other events of the specification than those of the type.
func checkContent[C any](what string, t event.Type) {
	got, want := reflect.TypeFor[C](), event.TypeMap[t]
	if want == nil || got == want {
		return
	}
	for _, known := range event.TypeMap {
		if known == got {
			panic(fmt.Sprintf("niobot: %s(%s): its content is a %s, not a %s", what, t.Type, want, got))
		}
	}
}
