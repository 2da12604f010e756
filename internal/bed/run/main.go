// Run runs a command, or a shell, with a Docker engine and a registry of its own:
//
//	go run ./internal/bed/run [--] [command [argument...]]
package main

import (
	"os"

	"promote/internal/bed"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	os.Exit(bed.Run(args))
}
