//go:build e2e && unix

package e2e

import (
	"os/exec"
	"syscall"
)

// inOwnGroup gives the process a group of its own, so that an interrupt from the terminal reaches only the test, and
// killing it kills what it started too.
func inOwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
