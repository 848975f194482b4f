package niobot

import (
	"fmt"
	"testing"
)

// BenchmarkQueue queues messages into one room, behind as many as there may wait.
func BenchmarkQueue(b *testing.B) {
	for _, waiting := range []int{100, maxOutbox / 2} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			bot, err := New(Config{Homeserver: "http://localhost", Token: "token", Prefixes: []string{"!"}})
			if err != nil {
				b.Fatal(err)
			}
			add := func(n int) {
				record := queueRecord{RoomID: "!room", Type: "m.room.message", Transaction: fmt.Sprint("niobot-", n)}
				if _, err := bot.queue.add(b.Context(), record); err != nil {
					b.Fatal(err)
				}
			}
			for n := range waiting {
				add(n)
			}
			b.ReportAllocs()
			for n := waiting; b.Loop(); n++ {
				bot.queue.count = waiting // Or it would be full.
				add(n)
			}
		})
	}
}
