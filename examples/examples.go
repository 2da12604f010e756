// Package examples holds whole projects that work, one for each way of working. Tests run them, and
// `promote demo` plays through the first.
package examples

import "embed"

// OneService is the smallest: one service, its version in package.json, two environments on one machine.
//
//go:embed all:one-service
var OneService embed.FS
