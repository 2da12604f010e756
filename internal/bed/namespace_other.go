//go:build !linux

package bed

import "errors"

var errLinux = errors.New("needs Linux")

func outside() int { panic(errLinux) }
func first() int   { panic(errLinux) }
