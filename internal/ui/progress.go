package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Progress shows a deployment while it goes on. On a terminal every image and service has one line that
// is redrawn in place; elsewhere each step is a line when it begins and when it ends.
type Progress struct {
	screen *Screen
	mu     sync.Mutex
	lines  []*line
	drawn  int // lines on the screen that the next drawing replaces
	stop   chan struct{}
}

type line struct {
	key, label, text string
	status           rollout.Status
	began, ended     time.Time
	layers           map[string]rollout.Layer
}

// Progress begins to show a deployment. Close ends it.
func (s *Screen) Progress() *Progress {
	p := &Progress{screen: s, stop: make(chan struct{})}
	if s.Live && !s.Quiet && !s.JSON {
		go p.redraw()
	}
	return p
}

// redraw keeps the elapsed times moving.
func (p *Progress) redraw() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// Close leaves the last state on the screen.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.stop)
	if p.screen.Live && !p.screen.Quiet && !p.screen.JSON {
		p.draw()
	}
}

// hostEvent is an event of one of several hosts, as JSON.
type hostEvent struct {
	Host string `json:"host,omitempty"`
	rollout.Event
}

// Event takes an event into the picture; host says of which of several hosts.
func (p *Progress) Event(host string, e rollout.Event) {
	s := p.screen
	switch {
	case s.JSON:
		p.mu.Lock()
		defer p.mu.Unlock()
		s.Object(hostEvent{host, e})
	case s.Quiet || e.Status == rollout.Finished:
	case s.Live:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.update(host, e)
		p.draw()
	default:
		if text := plain(e); text != "" {
			fmt.Fprintln(s.Err, oneLine(of(host)+text))
		}
	}
}

// plain is an event as a line of a log; layers of a pull are too many for one.
func plain(e rollout.Event) string {
	label := Label(e)
	switch e.Status {
	case rollout.Started:
		return label
	case rollout.Done:
		if e.Step == promotion.RollStep {
			return label + ": done"
		}
		return ""
	case rollout.Progress:
		if e.Layer != nil || e.Moved > 0 {
			return ""
		}
		return label + ": " + e.Text
	case rollout.Undoing:
		return e.Text
	case rollout.Noted:
		return "note: " + e.Text
	case rollout.Failed:
		return label + ": failed"
	}
	return ""
}

// Label names what an event is about: a step, its service, its task.
func Label(e rollout.Event) string {
	return strings.Join(strings.Fields(string(e.Step)+" "+e.Service+" "+e.Task), " ")
}

// of begins what is said of one of several hosts.
func of(host string) string {
	if host == "" {
		return ""
	}
	return host + " "
}

func (p *Progress) update(host string, e rollout.Event) {
	l := p.line(host, e)
	l.status = e.Status
	if e.Status == rollout.Progress && e.Text != "" || e.Status == rollout.Noted || e.Status == rollout.Undoing {
		l.text = e.Text
	}
	if e.Moved > 0 {
		l.text = size(e.Moved)
	}
	if e.Layer != nil {
		l.layers[e.Layer.ID] = *e.Layer
		l.text = layersText(l.layers)
	}
	if e.Status == rollout.Done || e.Status == rollout.Failed {
		l.ended = time.Now()
	}
	if e.Status == rollout.Done && len(l.layers) == 0 {
		l.text = "" // what it was doing last says nothing any more
	}
}

func (p *Progress) line(host string, e rollout.Event) *line {
	key := of(host) + Label(e)
	if e.Status == rollout.Noted {
		key += e.Text
	}
	for _, l := range p.lines {
		if l.key == key {
			return l
		}
	}
	l := &line{key: key, label: of(host) + Label(e), began: time.Now(), layers: map[string]rollout.Layer{}}
	p.lines = append(p.lines, l)
	return l
}

// layersText says how many layers are done, and how much of those that are on their way.
func layersText(layers map[string]rollout.Layer) string {
	var current, total int64
	done := 0
	for _, l := range layers {
		current, total = current+l.Current, total+l.Total
		if l.Done {
			done++
		}
	}
	text := fmt.Sprintf("%d of %d layers", done, len(layers))
	if total > 0 {
		text += fmt.Sprintf(", %.1f of %.1f MB", float64(current)/1e6, float64(total)/1e6)
	}
	return text
}

// draw replaces what was drawn before, in one write so that it doesn't flicker.
func (p *Progress) draw() {
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	for _, l := range p.lines {
		fmt.Fprintf(&b, "\x1b[2K%s\n", p.screen.lineText(l))
	}
	p.drawn = len(p.lines)
	fmt.Fprint(p.screen.Err, b.String())
}

func (s *Screen) lineText(l *line) string {
	symbol, colour := "·", faint
	elapsed := time.Since(l.began)
	switch l.status {
	case rollout.Done:
		symbol, colour, elapsed = "✓", green, l.ended.Sub(l.began)
	case rollout.Failed:
		symbol, colour, elapsed = "✗", red, l.ended.Sub(l.began)
	case rollout.Noted, rollout.Undoing:
		symbol, colour, elapsed = "!", yellow, 0
	}
	text := oneLine(strings.TrimSpace(l.label + "  " + l.text))
	if elapsed >= 100*time.Millisecond {
		text += fmt.Sprintf("  %.1fs", elapsed.Seconds())
	}
	if runes := []rune(text); len(runes) > s.Width-3 {
		text = string(runes[:max(0, s.Width-3)]) // a wrapped line would break the counting of lines
	}
	return " " + s.paint(colour, symbol) + " " + text
}
