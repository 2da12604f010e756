//go:build !linux

package bed

import (
	"errors"
	"os/exec"
	"syscall"
)

var errLinux = errors.New("needs Linux")

func outside() int                            { return failed(errLinux) }
func first() int                              { return failed(errLinux) }
func runCommand(args []string) (int, error)   { return 0, errLinux }
func hostCommand(hostPlan) (*exec.Cmd, error) { return nil, errLinux }
func hideUserConfig() error                   { return errLinux }
func ownSession() *syscall.SysProcAttr        { return nil }
func removeGroups(string)                     {}
