// Package cli is the command line: it turns flags into typed options, makes one call, and turns the
// outcome into an exit code. It is the only package that reads the process environment, catches
// signals and decides how the program ends.
package cli

import "io"

// Main runs promote with args (args[0] is the program's name) and returns its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int { return 0 }
