package niobot

import (
	"context"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// BenchmarkRoute finds the command that a message calls among few commands and among many.
func BenchmarkRoute(b *testing.B) {
	for _, commands := range []int{10, 1000} {
		b.Run(fmt.Sprintf("%d commands", commands), func(b *testing.B) {
			bot := offlineBot(b, 1)
			for n := range commands {
				bot.Add(NewCommand(fmt.Sprintf("command%d", n), func(context.Context, *Context, NoArgs) error { return nil }))
			}
			room := bot.rooms.room(benchRoom(0))
			messages := make([]*Message, commands)
			for n := range messages {
				kept, ok := syncjson.Parse(fmt.Sprintf(`{"type":"m.room.message","event_id":"$%d","sender":"@a:example.org",`+
					`"content":{"msgtype":"m.text","body":"!command%d and its arguments"}}`, n, n))
				if !ok {
					b.Fatal("the event is malformed")
				}
				messages[n], _ = newEvent(room, event.MessageEventType, kept).Message()
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := bot.route(room, messages[n]); !ok {
					b.Fatal("no command was found")
				}
				n = (n + 1) % commands
			}
		})
	}
}
