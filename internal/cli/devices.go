package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
)

// runDevices lists the devices of the bot's account, or signs some of them out.
func runDevices(ctx context.Context, env Env, flags *flag.FlagSet) error {
	a := accountFlags(&env, flags)
	var out []id.DeviceID
	flags.Func("sign-out", "", func(s string) error {
		out = append(out, id.DeviceID(s))
		return nil
	})
	others := flags.Bool("sign-out-others", false, "")
	if err := parse(env, flags); err != nil {
		return err
	}
	if *others && len(out) > 0 {
		return &usageError{reason: errors.New("--sign-out and --sign-out-others can't be together")}
	}
	return a.withEncryption(ctx, env, false, func(ctx context.Context, encryption *e2ee.Encryption) error {
		switch {
		case *others:
			gone, err := encryption.SignOutOthers(ctx)
			return errors.Join(err, signedOut(env.Stdout, gone, err))
		case len(out) > 0:
			err := encryption.SignOut(ctx, out...)
			return errors.Join(err, signedOut(env.Stdout, out, err))
		}
		devices, err := encryption.Devices(ctx)
		if err != nil {
			return err
		}
		return listDevices(env.Stdout, devices)
	})
}

func signedOut(w io.Writer, devices []id.DeviceID, failed error) error {
	if failed != nil {
		return nil
	}
	if len(devices) == 0 {
		_, err := fmt.Fprintln(w, "there are no other devices")
		return err
	}
	for _, device := range devices {
		if _, err := fmt.Fprintf(w, "signed out %s\n", oneLine(string(device))); err != nil {
			return err
		}
	}
	return nil
}

func listDevices(w io.Writer, devices []e2ee.Device) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEVICE\tNAME\tLAST SEEN\tTRUST\tFINGERPRINT")
	for _, d := range devices {
		name, seen := oneLine(d.Name), "unknown"
		if d.Own {
			name = cmp.Or(name, "-") + " (this bot)"
		}
		if !d.LastSeen.IsZero() {
			seen = d.LastSeen.UTC().Format(time.DateTime)
		}
		trust := "no keys"
		if d.Fingerprint != "" {
			trust = d.Trust.String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n",
			oneLine(string(d.ID)), cmp.Or(name, "-"), seen, trust, cmp.Or(d.Fingerprint, "-"))
	}
	return table.Flush()
}
