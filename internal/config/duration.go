package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// days matches whole days in front of what time.ParseDuration reads.
var days = regexp.MustCompile(`^([0-9]+)d(.*)$`)

var errDuration = errors.New("not a duration such as 90s, 2h30m or 2d")

// parseDuration reads a positive duration: what time.ParseDuration takes, with whole days of 24 hours
// (2d, 1d12h) in front.
func parseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	whole := time.Duration(0)
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64(math.MaxInt64/(48*time.Hour)) {
			return 0, errDuration
		}
		whole, s = time.Duration(n)*24*time.Hour, m[2]
		if s == "" {
			s = "0"
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || rest > math.MaxInt64/2 || whole+rest <= 0 {
		return 0, errDuration
	}
	return whole + rest, nil
}
