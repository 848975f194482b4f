//go:build !unix

package pgtest

import "os/exec"

// unprivileged runs programs as they are.
func unprivileged(dir string) (as func(*exec.Cmd), err error) {
	return func(cmd *exec.Cmd) { cmd.Dir = dir }, nil
}
