// Promote moves releases of Docker Compose services from one environment to the next, and back.
package main

import (
	"os"

	"promote/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
