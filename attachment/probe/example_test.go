package probe_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/niobot/niobot/attachment/probe"
)

func ExampleRead() {
	f, err := os.Open("testdata/hevc.mov")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		log.Fatal(err)
	}
	info, err := probe.Read(context.Background(), f, stat.Size())
	var partial *probe.PartialError
	if err != nil && !errors.As(err, &partial) {
		log.Fatal(err)
	}
	fmt.Println(info.Kind, info.MIME, info.Width, info.Height, info.Duration, info.Codecs)
	fmt.Println(info.Warning)
	// Output:
	// video video/quicktime 64 48 600ms [hevc aac]
	// many browsers can't play HEVC (H.265) video; MP4 with H.264 and AAC is played everywhere
}
