//go:build !goolm

package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEncryptionThatIsNotBuiltSaysHowToBuildIt(t *testing.T) {
	hs, bot := homeserver(t)
	store := filepath.Join(t.TempDir(), "bot.db")
	for _, args := range [][]string{{"run", "--encrypt"}, {"keys", "import", store}} {
		// The file to import is the store itself, once it is there: it is not read.
		got := run(t, "", append(args, "--homeserver", hs.URL(), "--store", store), "NIOBOT_TOKEN", bot.Token)
		if got.code != 1 || !strings.Contains(got.stderr, "rebuild with -tags goolm") {
			t.Errorf("%q: got %+v", args, got)
		}
	}
}
