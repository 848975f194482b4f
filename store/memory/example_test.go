package memory_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/memory"
)

func ExampleNew() {
	ctx := context.Background()
	store := memory.New()
	fmt.Println(store.Claim(ctx, niobot.Account{UserID: "@bot:example.org", DeviceID: "ABCDEFGH"}))
	fmt.Println(store.Commit(ctx, []niobot.Change{niobot.Put("visits", "@ann:example.org", []byte("3"))}))
	value, ok, err := store.Get(ctx, "visits", "@ann:example.org")
	fmt.Println(string(value), ok, err)
	fmt.Println(store.Release())

	err = store.Claim(ctx, niobot.Account{UserID: "@other:example.org", DeviceID: "ABCDEFGH"})
	fmt.Println(errors.Is(err, niobot.ErrStoreOwner))
	// Output:
	// <nil>
	// <nil>
	// 3 true <nil>
	// <nil>
	// true
}
