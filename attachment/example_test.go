package attachment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// exampleRepository is one of a server that lives as long as the example.
func exampleRepository() *attachment.Repository {
	hs := fakehs.New(fakehs.Options{})
	user, _ := hs.Register("robot", "")
	session, _ := hs.LogIn(user, "")
	client, _ := mautrix.NewClient("http://fakehs", session.UserID, session.Token)
	client.Client = &http.Client{Transport: hs.Transport()}
	return attachment.NewRepository(client)
}

func Example() {
	ctx, repo := context.Background(), exampleRepository()
	notes := attachment.Of(attachment.Bytes("notes.txt", []byte("Buy milk.")), attachment.Caption("For later."))

	// Whoever sends into an encrypted room says so.
	content, err := notes.Content(ctx, repo, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(content.MsgType, content.FileName, content.Body, content.URL == "")

	got, err := repo.Download(ctx, content)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer got.Close()
	text, _ := io.ReadAll(got)
	fmt.Printf("%s: %s\n", got.Name, text)
	// Output:
	// m.file notes.txt For later. true
	// notes.txt: Buy milk.
}

func ExampleAttachment_Prepare() {
	ctx, repo := context.Background(), exampleRepository()
	note := attachment.Of(attachment.Reader("note", strings.NewReader("Buy milk.")))
	p, err := note.Prepare(ctx, repo)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println(p.Kind, p.Name, p.Size, "bytes")
	// Output: file note 9 bytes
}

func ExampleURL() {
	ctx, repo := context.Background(), exampleRepository()
	// A user's link must not lead to what only the bot can reach.
	_, err := attachment.Of(attachment.URL("http://127.0.0.1:8080/admin")).Content(ctx, repo, false)
	fmt.Println(errors.Is(err, attachment.ErrForbiddenAddress))
	// Output: true
}

func ExampleParse() {
	info, err := attachment.Parse(&event.MessageEventContent{
		MsgType: event.MsgImage, Body: "../cat.jpg", URL: "mxc://example.org/abc",
		Info: &event.FileInfo{MimeType: "image/jpeg", Width: 640, Height: 480},
	})
	fmt.Println(info.Kind, info.Name, info.Width, info.Height, err)

	_, err = attachment.Parse(&event.MessageEventContent{MsgType: event.MsgText, Body: "Hello."})
	fmt.Println(errors.Is(err, attachment.ErrNoMedia))
	// Output:
	// image cat.jpg 640 480 <nil>
	// true
}

func ExampleNewGallery() {
	ctx, repo := context.Background(), exampleRepository()
	gallery, err := attachment.NewGallery(ctx, repo, false, "Two notes.", "",
		attachment.Of(attachment.Bytes("a.txt", []byte("one"))),
		attachment.Of(attachment.Bytes("b.txt", []byte("two"))))
	fmt.Println(gallery.Caption, len(gallery.Items), err)
	// Output: Two notes. 2 <nil>
}

func ExampleCleanName() {
	fmt.Println(attachment.CleanName("../../holiday\u202egpj.exe"))
	// Output: holidaygpj.exe
}

func ExampleRepository_UploadLimit() {
	limit, err := exampleRepository().UploadLimit(context.Background())
	fmt.Println(limit>>20, "MiB", err)
	// Output: 50 MiB <nil>
}
