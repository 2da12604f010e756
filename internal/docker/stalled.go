package docker

import (
	"fmt"
	"time"
)

// StalledError is a pull or a push that made no progress for too long. Engines wait for ever: whoever asked
// them gives up.
type StalledError struct {
	Doing string // pull IMAGE, push IMAGE
	Limit time.Duration
}

func (e *StalledError) Error() string {
	return fmt.Sprintf("%s: no progress for %s", e.Doing, e.Limit)
}

// Hint is for a network, or a registry, that had a bad moment: what arrived of the layers is not sent again.
func (e *StalledError) Hint() string { return "the same command again" }
