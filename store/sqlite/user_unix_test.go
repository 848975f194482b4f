//go:build unix

package sqlite_test

import "syscall"

// asNobody runs a program as a user without rights.
func asNobody() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
