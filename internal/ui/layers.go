package ui

import (
	"fmt"
	"sync"

	"promote/internal/rollout"
)

// Layers shows how far a push is: one live line on a terminal, one line at its beginning elsewhere.
type Layers struct {
	screen *Screen
	label  string
	mu     sync.Mutex
	layers map[string]rollout.Layer
	drawn  bool
}

// Layers begins to show the layers of one image. Close ends it.
func (s *Screen) Layers(label string) *Layers {
	l := &Layers{screen: s, label: label, layers: map[string]rollout.Layer{}}
	if !s.Live {
		s.Say("%s", label)
	}
	return l
}

// Update takes the progress of one layer into the picture.
func (l *Layers) Update(p rollout.Layer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.layers[p.ID] = p
	if l.screen.Live && !l.screen.Quiet && !l.screen.JSON {
		fmt.Fprintf(l.screen.Err, "\r\x1b[2K %s  %s", Clean(l.label), layersText(l.layers))
		l.drawn = true
	}
}

// Close leaves the last state on the screen.
func (l *Layers) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		fmt.Fprintln(l.screen.Err)
	}
}
