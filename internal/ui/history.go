package ui

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
)

// History shows deployments and marks, newest first.
func (s *Screen) History(list []journal.Deployment) error {
	if s.JSON {
		for _, d := range list {
			if err := s.Object(historyObject(d)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		s.Say("nothing happened yet")
		return nil
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHEN\tID\tKIND\tWHAT\tOUTCOME\tBY\tREASON")
	for _, d := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.At.UTC().Format("2006-01-02 15:04"), oneLine(d.ID), oneLine(d.Kind), oneLine(what(d)), oneLine(outcome(d)), oneLine(d.By), oneLine(reason(d)))
	}
	return table.Flush()
}

// HistoryEntry is a line of `promote history --json`.
type HistoryEntry struct {
	Schema       int            `json:"schema"`
	ID           string         `json:"id,omitempty"`
	Kind         string         `json:"kind"`
	At           time.Time      `json:"at"`
	End          time.Time      `json:"end,omitzero"`
	By           string         `json:"by"`
	Reason       string         `json:"reason,omitempty"`
	Emergency    bool           `json:"emergency,omitempty"`
	AcceptDigest bool           `json:"accept_digest,omitempty"`
	Outcome      string         `json:"outcome"`
	Error        string         `json:"error,omitempty"`
	Moves        []journal.Move `json:"moves,omitempty"`
	Marks        []journal.Mark `json:"marks,omitempty"`
	Data         *journal.Data  `json:"data,omitempty"`
}

func historyObject(d journal.Deployment) HistoryEntry {
	return HistoryEntry{
		Schema: promotion.Schema, ID: d.ID, Kind: d.Kind, At: d.At, End: d.End, By: d.By, Reason: d.Reason, Emergency: d.Emergency,
		AcceptDigest: d.AcceptDigest, Outcome: outcome(d), Error: d.Error, Moves: d.Moves, Marks: d.Marks, Data: d.Data,
	}
}

func reason(d journal.Deployment) string {
	text := d.Reason
	if d.AcceptDigest {
		text = "digest accepted: " + text
	}
	if d.Emergency {
		text = "emergency: " + text
	}
	return text
}

func what(d journal.Deployment) string {
	var parts []string
	if d.Data != nil {
		parts = append(parts, transferred(*d.Data))
	}
	for _, m := range d.Moves {
		parts = append(parts, fmt.Sprintf("%s %s → %s", m.Service, promotion.Label(m.From), promotion.Label(m.To)))
	}
	if len(parts) == 0 {
		for _, m := range d.Marks {
			parts = append(parts, marked(m))
		}
	}
	if len(parts) == 0 {
		for _, t := range d.Tasks {
			parts = append(parts, t.Service+" "+t.Name)
		}
	}
	return strings.Join(parts, ", ")
}

// transferred says what data came from where.
func transferred(d journal.Data) string {
	from := "from " + d.From
	if d.Undo != "" {
		from = "as before " + d.Undo
	}
	if d.Bytes > 0 {
		from += ", " + size(d.Bytes)
	}
	return strings.Join(d.Names, ", ") + " " + from
}

// marked names what a mark is about: a service, and the release where it is about one.
func marked(m journal.Mark) string {
	if m.Release.Repository == "" {
		return m.Service
	}
	return m.Service + " " + promotion.Label(m.Release)
}

func outcome(d journal.Deployment) string {
	switch {
	case d.Marked:
		return "done"
	case d.End.IsZero():
		return "not ended"
	case d.Outcome == "restored":
		return "put back"
	}
	return d.Outcome
}
