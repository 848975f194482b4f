//go:build unix

package victim

import (
	"os/signal"
	"syscall"
)

// surviveSizeLimit makes a write beyond RLIMIT_FSIZE an error, as it is on a full disk, and not the end of the process.
func surviveSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
