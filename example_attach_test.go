package niobot_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
)

func ExampleAttach() {
	report := niobot.NewCommand("report", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		csv := attachment.Reader("report.csv", strings.NewReader("day,sold\nMonday,7\n"))
		caption := niobot.Markdown("What was **sold**, %s", c.Sender())
		_, err := c.Respond(ctx, niobot.Attach(attachment.File(csv)).Captioned(caption))
		return err
	})
	fmt.Println(report.Name())
	// Output: report
}

func ExampleFile() {
	type args struct {
		File *niobot.File `arg:"file" help:"a text"`
	}
	count := niobot.NewCommand("count", func(ctx context.Context, c *niobot.Context, a args) error {
		received, err := a.File.Download(ctx, attachment.MaxBytes(1<<20))
		if err != nil {
			return err
		}
		defer received.Close()
		text, err := io.ReadAll(received)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s has %d lines.", a.File.Name, strings.Count(string(text), "\n"))
	})
	// The file is found by itself: in the command's message, or the one that it replies to.
	fmt.Println(count.Usage())
	// Output: [file]
}
