// Command niobot lets a person try niobot: a bot to chat with in the terminal, and the same bot on a real homeserver.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/niobot/niobot/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the process at once.
	os.Exit(cli.Main(ctx, cli.Process()))
}
