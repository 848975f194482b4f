//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"
)

// unprivileged gives the folder to a user whom PostgreSQL accepts, for it refuses root, and says how to run programs as
// that user.
func unprivileged(dir string) (as func(*exec.Cmd), err error) {
	if os.Geteuid() != 0 {
		return func(cmd *exec.Cmd) { cmd.Dir = dir }, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return func(cmd *exec.Cmd) {
			cmd.Dir = dir
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
			}
		}, nil
	}
	return nil, fmt.Errorf("%w; it does not run as root, and there is no user postgres or nobody", ErrNone)
}
