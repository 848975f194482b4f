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
  keys       export or import the keys of an encrypted bot
  devices    list the devices of an encrypted bot's account, or sign them out
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
  --owner USER         a user who may invite and verify the bot, such as @me:example.org; may be repeated (default:
                       everybody may invite it)
  --store FILE         keep what the bot must not forget in this file, which is made where it is missing
  --standby            wait while another process holds the store, and take over when that ends
  --encrypt            read and write in encrypted rooms; needs --store
  --recovery-key-file FILE
                       where the account's recovery key is, or is put at the first start (default: the store's file with
                       -recovery-key behind its name); keep a copy elsewhere
  --reset-identity     where the recovery key is lost, make a new identity: others see that it changed, and what was in
                       the key backup is lost
  --log-level LEVEL    what is logged to standard error: debug, info, warn or error (default warn)

Owners verify an encrypted bot from their own client. At a terminal, the emoji are shown here to be compared; elsewhere
they are logged, and the command !verify takes the answer. Servers that ask for the account's password get that of the
environment variable NIOBOT_PASSWORD.
`

const keysUsage = `Usage: niobot keys export --homeserver URL --store FILE [flags] FILE
       niobot keys import --homeserver URL --store FILE [flags] FILE

Writes the keys of all rooms that the bot can read into a new file, or takes in those of a file, in the format of Element
and nio-bot. The bot must not run meanwhile. The token is read from NIOBOT_TOKEN, the passphrase of the file from the
terminal or from NIOBOT_PASSPHRASE.

Flags:
  --homeserver URL     the homeserver, such as https://matrix.example.org, or its name, such as example.org
  --store FILE         the bot's store; an import makes it where it is missing
  --recovery-key-file FILE
                       the file of the account's recovery key, as for niobot run
  --log-level LEVEL    what is logged to standard error: debug, info, warn or error (default warn)
`

const devicesUsage = `Usage: niobot devices --homeserver URL --store FILE [flags]

Lists the devices of an encrypted bot's account, or signs some of them out. The bot must not run meanwhile. The token is
read from NIOBOT_TOKEN; servers that ask for the account's password get that of NIOBOT_PASSWORD.

Flags:
  --homeserver URL     the homeserver, such as https://matrix.example.org, or its name, such as example.org
  --store FILE         the bot's store
  --sign-out DEVICE    sign this device out; may be repeated
  --sign-out-others    sign all devices out but the bot's
  --recovery-key-file FILE
                       the file of the account's recovery key, as for niobot run
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
