package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// runVersion tells what was built.
func runVersion(_ context.Context, env Env, flags *flag.FlagSet) error {
	if err := parse(env, flags); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this program was built without module information")
	}
	_, err := io.WriteString(env.Stdout, versionText(info))
	return err
}

// versionText is a line for the module, one for the commit where it is known, and one for Go.
func versionText(info *debug.BuildInfo) string {
	set := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	var b strings.Builder
	fmt.Fprintf(&b, "niobot %s\n", cmp.Or(info.Main.Version, "(devel)"))
	if commit := set["vcs.revision"]; commit != "" {
		fmt.Fprintf(&b, "commit %s", commit)
		if when := set["vcs.time"]; when != "" {
			fmt.Fprintf(&b, " of %s", when)
		}
		if set["vcs.modified"] == "true" {
			b.WriteString(", with changes")
		}
		b.WriteString("\n")
	}
	b.WriteString(info.GoVersion)
	if set["GOOS"] != "" {
		fmt.Fprintf(&b, " %s/%s", set["GOOS"], set["GOARCH"])
	}
	b.WriteString("\n")
	return b.String()
}
