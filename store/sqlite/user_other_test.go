//go:build !unix

package sqlite_test

import "syscall"

// asNobody is never asked for, since there is no root.
func asNobody() *syscall.SysProcAttr { return nil }
