package fakehs_test

import (
	"context"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/fakehs"
)

func Example() {
	ctx := context.Background()
	hs := fakehs.New(fakehs.Options{})
	defer hs.Close()
	alice, _ := hs.Register("alice", "secret")
	robot, _ := hs.Register("robot", "")
	room, _ := hs.NewRoom(alice, "private_chat", robot)

	session, _ := hs.LogIn(robot, "")
	client, _ := mautrix.NewClient("http://fakehs", session.UserID, session.Token)
	client.Client = &http.Client{Transport: hs.Transport()}
	_, _ = client.SendNotice(ctx, room, "beep")

	beep, err := hs.WaitFor(ctx, room, func(evt *event.Event) bool { return evt.Type == event.EventMessage })
	fmt.Println(beep.Sender, beep.Content.AsMessage().Body, err)
	// Output: @robot:localhost beep <nil>
}

func ExampleServer_Fail() {
	hs := fakehs.New(fakehs.Options{})
	defer hs.Close()
	limit := hs.Fail(fakehs.Fault{Path: "/versions", Status: 429, RetryForm: fakehs.RetryInBody, Count: 1})

	client := &http.Client{Transport: hs.Transport()}
	for range 2 {
		resp, err := client.Get("http://fakehs/_matrix/client/versions")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode, limit.Hits())
	}
	// Output:
	// 429 1
	// 200 1
}
