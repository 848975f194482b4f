//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/HugoSmits86/nativewebp"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
)

// TestMedia sends files of each kind between two bots, there and back.
func TestMedia(t *testing.T) {
	runEverywhere(t, []scenario{
		{name: "plain files", run: func(t *testing.T, hs Homeserver) { mediaThereAndBack(t, hs, plainRoom) }},
		{name: "encrypted files", run: func(t *testing.T, hs Homeserver) { mediaThereAndBack(t, hs, secretRoom) }},
		{name: "plain gallery", run: func(t *testing.T, hs Homeserver) { mediaGallery(t, hs, plainRoom) }},
		{name: "encrypted gallery", run: func(t *testing.T, hs Homeserver) { mediaGallery(t, hs, secretRoom) }},
		{name: "a file as an argument", run: mediaArgument},
		{name: "a recording", run: mediaRecording},
	})
}

// withFFmpeg tells whether the bots find ffmpeg, which shows more of videos and voice messages.
func withFFmpeg() bool {
	_, err := exec.LookPath("ffmpeg")
	return err == nil
}

// sampleFile is a file, and what its message is to say.
type sampleFile struct {
	name      string
	data      []byte
	make      func(attachment.Source, ...attachment.Option) *attachment.Attachment
	kind      attachment.Kind
	mime      string
	width     int
	duration  time.Duration // 0: none is said
	thumbnail bool
	animated  bool
}

func mediaSamples(t *testing.T) []sampleFile {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 900, 700))
	for y := range 700 {
		for x := range 900 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 4), uint8(y / 3), 90, 255})
		}
	}
	encoded := func(encode func(io.Writer) error) []byte {
		var b bytes.Buffer
		check(t, "encode a picture", encode(&b))
		return b.Bytes()
	}
	stored := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "attachment", "probe", "testdata", name))
		check(t, "read a sample", err)
		return data
	}
	pixels := func(shift int) *image.Paletted {
		p := image.NewPaletted(image.Rect(0, 0, 900, 700), color.Palette{color.Black, color.White})
		for i := range p.Pix {
			p.Pix[i] = uint8((i + shift) / 100 % 2)
		}
		return p
	}
	animation := &gif.GIF{Image: []*image.Paletted{pixels(0), pixels(50)}, Delay: []int{10, 10}}
	return []sampleFile{
		{name: "notes.txt", data: []byte("some notes\n"), make: attachment.Of, kind: attachment.KindFile, mime: "text/plain"},
		{name: "one byte.bin", data: []byte{0}, make: attachment.File, kind: attachment.KindFile}, // Dendrite takes none of zero.
		{name: "as a file.png", data: encoded(func(w io.Writer) error { return png.Encode(w, img) }),
			make: attachment.File, kind: attachment.KindFile, mime: "image/png"},
		{name: "photo.jpg", data: encoded(func(w io.Writer) error { return jpeg.Encode(w, img, nil) }), make: attachment.Of,
			kind: attachment.KindImage, mime: "image/jpeg", width: 900, thumbnail: true},
		{name: "drawing.png", data: encoded(func(w io.Writer) error { return png.Encode(w, img) }), make: attachment.Of,
			kind: attachment.KindImage, mime: "image/png", width: 900, thumbnail: true},
		{name: "dance.gif", data: encoded(func(w io.Writer) error { return gif.EncodeAll(w, animation) }), make: attachment.Of,
			kind: attachment.KindImage, mime: "image/gif", width: 900, thumbnail: true, animated: true},
		{name: "new.webp", data: encoded(func(w io.Writer) error { return nativewebp.Encode(w, img, nil) }), make: attachment.Of,
			kind: attachment.KindImage, mime: "image/webp", width: 900, thumbnail: true},
		{name: "song.mp3", data: stored("song.mp3"), make: attachment.Of, kind: attachment.KindAudio, mime: "audio/mpeg",
			duration: 600 * time.Millisecond},
		{name: "song.flac", data: stored("song.flac"), make: attachment.Of, kind: attachment.KindAudio, mime: "audio/flac",
			duration: 600 * time.Millisecond},
		{name: "film.mp4", data: stored("film.mp4"), make: attachment.Of, kind: attachment.KindVideo, mime: "video/mp4",
			width: 64, duration: 600 * time.Millisecond, thumbnail: withFFmpeg()},
		{name: "film.webm", data: stored("film.webm"), make: attachment.Of, kind: attachment.KindVideo, mime: "video/webm",
			width: 64, duration: 600 * time.Millisecond, thumbnail: withFFmpeg()},
		{name: "voice.ogg", data: stored("voice.opus"), make: attachment.Voice, kind: attachment.KindVoice, mime: "audio/ogg",
			duration: 600 * time.Millisecond},
	}
}

// roomMaker makes a room of the bots, the first of whom creates it.
type roomMaker func(bots ...*secretBot) id.RoomID

func plainRoom(bots ...*secretBot) id.RoomID {
	creator := bots[0]
	creator.t.Helper()
	ctx, cancel := context.WithTimeout(creator.t.Context(), scenarioLimit)
	defer cancel()
	client, err := creator.Client(ctx)
	check(creator.t, "get the client", err)
	created, err := client.CreateRoom(ctx, &mautrix.ReqCreateRoom{Preset: "public_chat"})
	check(creator.t, "create a room", err)
	for _, b := range bots[1:] {
		_, err := b.Join(ctx, created.RoomID.String())
		check(creator.t, "join", err)
	}
	return created.RoomID
}

func mediaThereAndBack(t *testing.T, hs Homeserver, makeRoom roomMaker) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := makeRoom(alice, bot)
	for _, sample := range mediaSamples(t) {
		a := sample.make(attachment.Bytes(sample.name, sample.data))
		m := alice.attaches(room, niobot.Attach(a).Captioned(niobot.Markdown("the *file* %s", sample.name)), bot)
		file := bot.getsFile(m, sample)
		// And back, from what was received.
		again := sample.make(attachment.Message(file), attachment.Name(sample.name))
		back := bot.attaches(room, niobot.Attach(again), alice)
		alice.getsFile(back, sample)
	}
}

// attaches sends files, and returns the message as the other bot reads it.
func (b *secretBot) attaches(room id.RoomID, files niobot.Files, to *secretBot) *niobot.Message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), scenarioLimit)
	defer cancel()
	sent, err := b.Send(ctx, room, files)
	check(b.t, "send files", err)
	m, err := to.heard.wait(ctx, sent.ID)
	check(b.t, "read the message", err)
	return m
}

// getsFile checks a message, and that its file, and thumbnail, come as they were sent. It returns the content.
func (b *secretBot) getsFile(m *niobot.Message, want sampleFile) *event.MessageEventContent {
	b.t.Helper()
	var e struct {
		Content json.RawMessage `json:"content"`
	}
	check(b.t, "read the event", json.Unmarshal(m.JSON(), &e))
	checkMedia(b.t, e.Content)
	_, secret := m.Origin()
	info, ok := m.File()
	if !ok || info.Kind != want.kind || info.Name != want.name || info.Size != int64(len(want.data)) ||
		want.mime != "" && info.MIME != want.mime || info.Width != want.width || info.Animated != want.animated ||
		(info.Duration-want.duration).Abs() > 10*time.Millisecond || info.Encrypted != secret ||
		want.thumbnail != info.HasThumbnail ||
		(want.thumbnail || want.kind == attachment.KindImage) != (info.Blurhash != "") ||
		(want.kind == attachment.KindVoice && withFFmpeg()) != (len(info.Waveform) > 0) {
		b.t.Errorf("%s is announced as %+v", want.name, info)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), scenarioLimit)
	defer cancel()
	content := new(event.MessageEventContent)
	check(b.t, "read the content", m.Decode(content))
	received, err := b.Download(ctx, m)
	check(b.t, "download "+want.name, err)
	if got := readAll(b.t, received); !bytes.Equal(got, want.data) {
		b.t.Errorf("of %s, %d other bytes arrive", want.name, len(got))
	}
	repository, err := b.Repository(ctx)
	check(b.t, "get the repository", err)
	stored, err := repository.DownloadURI(ctx, info.URI)
	check(b.t, "download what is stored", err)
	if got := readAll(b.t, stored); len(got) > 0 && bytes.Equal(got, want.data) == secret {
		b.t.Errorf("%s is stored in the clear: %t, encrypted room: %t", want.name, !secret, secret)
	}
	if want.thumbnail {
		thumbnail, err := repository.DownloadThumbnail(ctx, content)
		check(b.t, "download the thumbnail of "+want.name, err)
		size, _, err := image.DecodeConfig(bytes.NewReader(readAll(b.t, thumbnail)))
		if said := content.Info.ThumbnailInfo; err != nil || size.Width != said.Width || size.Height != said.Height ||
			size.Width > attachment.ThumbnailWidth || size.Height > attachment.ThumbnailHeight {
			b.t.Errorf("the thumbnail of %s is of %d×%d pixels (%v), and said to be of %d×%d", want.name,
				size.Width, size.Height, err, said.Width, said.Height)
		}
	}
	return content
}

func readAll(t *testing.T, file *attachment.Received) []byte {
	t.Helper()
	defer func() { check(t, "close the file", file.Close()) }()
	data, err := io.ReadAll(file)
	check(t, "read the file", err)
	return data
}

func mediaGallery(t *testing.T, hs Homeserver, makeRoom roomMaker) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := makeRoom(alice, bot)
	one, two := []byte("one"), []byte("two")
	m := alice.attaches(room, niobot.Attach(
		attachment.File(attachment.Bytes("one.txt", one)), attachment.File(attachment.Bytes("two.txt", two)),
	).Captioned(niobot.Plain("two files")).AsGallery(), bot)
	gallery, ok := m.Gallery()
	if !ok || gallery.Caption != "two files" || len(gallery.Items) != 2 {
		t.Fatalf("the gallery is %+v", gallery)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
	defer cancel()
	repository, err := bot.Repository(ctx)
	check(t, "get the repository", err)
	_, secret := m.Origin()
	for i, want := range [][]byte{one, two} {
		item := gallery.Items[i]
		raw, err := json.Marshal(item)
		check(t, "encode the item", err)
		checkMedia(t, raw)
		if (item.File != nil) != secret {
			t.Errorf("the item is encrypted: %t, want %t", item.File != nil, secret)
		}
		received, err := repository.Download(ctx, item)
		check(t, "download the item", err)
		if got := readAll(t, received); !bytes.Equal(got, want) {
			t.Errorf("item %d is %q", i, got)
		}
	}
}

// mediaArgument calls a command by the caption of an encrypted file; the answer is the file turned into another.
func mediaArgument(t *testing.T, hs Homeserver) {
	upper := niobot.NewCommand("upper", func(ctx context.Context, c *niobot.Context, a struct {
		File *niobot.File `arg:"file"`
	}) error {
		received, err := a.File.Download(ctx)
		if err != nil {
			return err
		}
		defer received.Close()
		data, err := io.ReadAll(received)
		if err != nil {
			return err
		}
		_, err = c.Respond(ctx, niobot.Attach(attachment.File(attachment.Bytes("upper.txt", bytes.ToUpper(data)))))
		return err
	})
	alice, bot := newSecretBot(t, hs, "alice"), readySecretBot(t, hs, hs.Register(t, "bot"))
	bot.prepare = func(b *niobot.Bot) { b.Add(upper) }
	bot.start()
	room := secretRoom(alice, bot)
	ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
	defer cancel()
	lower := attachment.File(attachment.Bytes("lower.txt", []byte("quiet")))
	sent, err := alice.Send(ctx, room, niobot.Attach(lower).Captioned(niobot.Plain("!upper")))
	check(t, "send the command", err)
	m, err := alice.heard.answer(ctx, bot.account.UserID, sent.ID)
	check(t, "get an answer", err)
	received, err := alice.Download(ctx, m)
	check(t, "download the answer", err)
	if got := readAll(t, received); string(got) != "QUIET" {
		t.Errorf("the answer is %q", got)
	}
}

// mediaRecording sends a recording that has to become Opus in Ogg first.
func mediaRecording(t *testing.T, hs Homeserver) {
	if !withFFmpeg() {
		t.Skip("SKIPPED: ffmpeg is not installed, so that nothing is converted")
	}
	const rate, length = 8000, 2 * time.Second
	wav := []byte("RIFF\x24\x7d\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00" +
		"data\x00\x7d\x00\x00")
	for i := range rate * int(length/time.Second) {
		wav = binary.LittleEndian.AppendUint16(wav, uint16(int16(20000*math.Sin(float64(i)/3))))
	}
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := secretRoom(alice, bot)
	m := alice.attaches(room, niobot.Attach(attachment.Voice(attachment.Bytes("memo.wav", wav))), bot)
	var e struct {
		Content json.RawMessage `json:"content"`
	}
	check(t, "read the event", json.Unmarshal(m.JSON(), &e))
	checkMedia(t, e.Content)
	info, ok := m.File()
	if !ok || info.Kind != attachment.KindVoice || info.Name != "memo.ogg" || info.MIME != "audio/ogg" || !info.Encrypted ||
		(info.Duration-length).Abs() > 50*time.Millisecond || len(info.Waveform) < 30 || len(info.Waveform) > 120 {
		t.Errorf("it is announced as %+v", info)
	}
	ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
	defer cancel()
	received, err := bot.Download(ctx, m)
	check(t, "download the recording", err)
	if got := readAll(t, received); int64(len(got)) != info.Size || !bytes.HasPrefix(got, []byte("OggS")) ||
		!bytes.HasPrefix(got[28:], []byte("OpusHead")) {
		t.Errorf("%d bytes arrive, and %d were announced", len(got), info.Size)
	}
}
