package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// days matches whole days in front of what time.ParseDuration reads.
var days = regexp.MustCompile(`^([0-9]+)d(.*)$`)

// maxDays keeps a sum from overflowing; nobody waits that long.
const maxDays = 10_000

// parseDuration reads a positive duration: what time.ParseDuration takes, with whole days of 24 hours
// (2d, 1d12h) in front.
func parseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("expected a duration such as 90s, 2h or 2d, found %q", shortened(s))
	whole, rest := time.Duration(0), s
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n > maxDays {
			return 0, wrong
		}
		whole, rest = time.Duration(n)*24*time.Hour, m[2]
	}
	part, err := time.ParseDuration(cmp.Or(rest, "0"))
	if err != nil || part < 0 || part > maxDays*24*time.Hour || whole+part == 0 {
		return 0, wrong
	}
	return whole + part, nil
}
