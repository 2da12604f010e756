package config

import (
	"fmt"

	"github.com/xrash/smetrics"
)

// nearest gives the known name that a typing mistake most likely meant, "" if none is near. A third of
// the letters may be wrong, so that short names don't suggest each other.
func nearest(name string, known []string) string {
	best, limit := "", 0
	for _, candidate := range known {
		allowed := (len(candidate) + 2) / 3
		// A longer difference can't be near; and a hostile key of a megabyte is not worth the table.
		if diff := len(candidate) - len(name); diff > allowed || -diff > allowed {
			continue
		}
		distance := smetrics.WagnerFischer(name, candidate, 1, 1, 1)
		if distance <= allowed && (best == "" || distance < limit) {
			best, limit = candidate, distance
		}
	}
	return best
}

// didYouMean ends a message about an unknown name with the nearest known one, if there is one.
func didYouMean(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}
