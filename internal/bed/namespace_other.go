//go:build !linux

package bed

import "errors"

var errLinux = errors.New("needs Linux")

func outside() int                          { return failed(errLinux) }
func first() int                            { return failed(errLinux) }
func runCommand(args []string) (int, error) { return 0, errLinux }
