package ui

import "fmt"

// Warn shows what went wrong without changing how the command ends. It is shown with --quiet and --json,
// too, since nothing else tells of it. No error is no warning.
func (s *Screen) Warn(err error) {
	if err == nil {
		return
	}
	for _, text := range texts(err) {
		fmt.Fprintf(s.Err, "%s %s\n", s.paint(yellow, "warning:"), oneLine(text))
	}
}
