package attachment_test

import (
	"io"
	"net/http"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
)

// BenchmarkTransfer sends 8 MiB to a server that forgets them, and fetches them again.
func BenchmarkTransfer(b *testing.B) {
	data := noise(8 << 20)
	plain, _ := opened(data)
	encrypted, stored := sealed(data)
	for _, bb := range []struct {
		name    string
		message *event.MessageEventContent
		served  []byte
		secret  bool
	}{{"plain", plain, data, false}, {"encrypted", encrypted, stored, true}} {
		repo := serve(b, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodGet && r.URL.Path == "/_matrix/client/v1/media/download/example.org/abc":
				_, _ = w.Write(bb.served)
			case r.URL.Path == "/_matrix/media/v3/upload":
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, `{"content_uri":"mxc://example.org/abc"}`)
			default:
				unknown(w)
			}
		}, attachment.WithUploadCache(0))
		b.Run("up/"+bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := attachment.File(attachment.Bytes("f", data)).Content(b.Context(), repo, bb.secret); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("down/"+bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := repo.Download(b.Context(), bb.message)
				if err != nil {
					b.Fatal(err)
				}
				_ = got.Close()
			}
		})
	}
}
