package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
)

// A bot claims its store by itself; this is what it does with it.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "niobot-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	db, err := sqlite.Open(filepath.Join(folder, "bot.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	ctx := context.Background()
	if err := db.Claim(ctx, niobot.Account{UserID: "@bot:example.org", DeviceID: "ABCDEFGH"}); err != nil {
		log.Fatal(err)
	}
	err = db.Commit(ctx, []niobot.Change{
		niobot.Put("greeting", "en", []byte("Hello")),
		niobot.Put("greeting", "eo", []byte("Saluton")),
	})
	if err != nil {
		log.Fatal(err)
	}
	for r, err := range db.Scan(ctx, "greeting", "e") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", r.Key, r.Value)
	}
	// Output:
	// en: Hello
	// eo: Saluton
}
