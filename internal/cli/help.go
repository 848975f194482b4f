package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
)

const mainUsage = `Usage: niobot <command> [flags]

  demo       chat with a sample bot, in this terminal and nowhere else
  run        run the sample bot on a real homeserver
  version    tell which niobot this is
  help       explain a command

niobot help <command> shows a command's flags.
`

const demoUsage = `Usage: niobot demo [flags]

Starts a homeserver and a sample bot inside this process, and lets you chat with the bot. Nothing leaves this machine.
Through a pipe, each line is a message, and only what the bot does is printed:

  echo '!ping' | niobot demo

Flags:
  --own-bot            chat with a bot that you start in another terminal; what it needs to log in is shown
  --log-level LEVEL    what is logged to standard error: debug, info, warn or error (default warn)

NO_COLOR turns colours off.
`

const runUsage = `Usage: niobot run --homeserver URL [flags]

Runs the sample bot on a homeserver until it is interrupted. The access token of the bot's account is read from the
environment variable NIOBOT_TOKEN, and never from the command line, which others on this machine can read.

Flags:
  --homeserver URL     the homeserver, such as https://matrix.example.org, or its name, such as example.org
  --prefix PREFIX      what commands begin with; may be repeated (default !)
  --owner USER         a user who may invite the bot, such as @me:example.org; may be repeated (default: everybody may)
  --log-level LEVEL    what is logged to standard error: debug, info, warn or error (default warn)
`

const versionUsage = `Usage: niobot version [flags]

Tells the version of niobot, the commit that it was built from, and the Go that built it. A release also tells whether
it is supported, and whether a newer one is out: the Go module proxy that GOPROXY names is asked which releases there
are, at most once a day. Nothing about you or your version is sent.

Flags:
  --offline            ask nobody
`

const helpUsage = `Usage: niobot help [command]

Explains niobot, or one of its commands.
`

// runHelp shows the usage of the program or of one command.
func runHelp(_ context.Context, env Env, flags *flag.FlagSet) error {
	if err := flags.Parse(env.Args); err != nil {
		return &usageError{reason: err}
	}
	text := mainUsage
	switch flags.NArg() {
	case 0:
	case 1:
		c, ok := find(flags.Arg(0))
		if !ok {
			return &usageError{usage: mainUsage, reason: fmt.Errorf("unknown command %q", flags.Arg(0))}
		}
		text = c.usage
	default:
		return &usageError{reason: fmt.Errorf("unexpected argument %q", flags.Arg(1))}
	}
	_, err := io.WriteString(env.Stdout, text)
	return err
}
