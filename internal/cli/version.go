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
	"time"

	"github.com/niobot/niobot/release"
	"github.com/niobot/niobot/release/notice"
)

// runVersion tells what was built, and whether it is still supported.
func runVersion(ctx context.Context, env Env, flags *flag.FlagSet) error {
	offline := flags.Bool("offline", false, "")
	if err := parse(env, flags); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this program was built without module information")
	}
	if _, err := io.WriteString(env.Stdout, versionText(info)); err != nil || *offline {
		return err
	}
	_, err := io.WriteString(env.Stdout, supportText(ctx, info, env.Getenv("GOPROXY"), ""))
	return err
}

// supportTimeout is how long the module proxy may take to say whether a version is supported.
const supportTimeout = 10 * time.Second

// supportText is a line on whether the version is supported and up to date, by what the module proxy lists. It is empty
// for a build that is no release. Answers are kept for a day, in cacheDir or, if that is empty, the user's cache.
func supportText(ctx context.Context, info *debug.BuildInfo, goproxy, cacheDir string) string {
	_, version, err := release.OwnVersion(info, notice.Module)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, supportTimeout)
	defer cancel()
	checker, err := notice.DefaultChecker(goproxy, cacheDir)
	if err != nil {
		return fmt.Sprintf("whether it is supported is not known: %v\n", err)
	}
	report, err := checker.Check(ctx, version)
	if err != nil {
		return fmt.Sprintf("whether it is supported is not known: %v\n", err)
	}
	return report.String() + "\n"
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
