package main

import "fmt"

// finding is an edit that is wrong, or refused for a reason that the design does not list.
type finding struct {
	Variant string `json:"variant"`
	Project string `json:"project"`
	Service string `json:"service"`
	Kind    kind   `json:"kind"`
	Reason  string `json:"reason"`
}

// counts are of a variant, or of all of them. Edits are counted for each service that they move.
type counts struct {
	Name       string         `json:"name"`
	Projects   int            `json:"projects"`
	Exact      int            `json:"exact"`
	Refused    int            `json:"refused"`
	Unlisted   int            `json:"unlisted"` // of the refused: for reasons that the design does not list
	Wrong      int            `json:"wrong"`
	NotLoaded  int            `json:"not_loaded"`
	Other      int            `json:"other"` // projects not tried: written so, they do not say the same
	Reasons    map[string]int `json:"reasons"`
	Unloadable map[string]int `json:"unloadable"`
	Findings   []finding      `json:"findings"`
}

func newCounts(name string) *counts {
	return &counts{Name: name, Reasons: map[string]int{}, Unloadable: map[string]int{}, Findings: []finding{}}
}

func (c *counts) add(a attempt) {
	c.Projects++
	if a.unloadable != "" {
		c.NotLoaded++
		c.Unloadable[a.unloadable]++
	}
	if a.other {
		c.Other++
	}
	for _, o := range a.outcomes {
		f := finding{Variant: a.variant, Project: a.name, Service: o.service, Kind: o.kind}
		switch {
		case o.wrong != nil:
			c.Wrong += o.edits
			f.Reason = o.wrong.Error()
			c.Findings = append(c.Findings, f)
		case o.refused != "":
			reason, allowed := nameOf(o.refused)
			c.Refused += o.edits
			c.Reasons[reason] += o.edits
			if !allowed {
				c.Unlisted += o.edits
				f.Reason = o.refused
				c.Findings = append(c.Findings, f)
			}
		default:
			c.Exact += o.edits
		}
	}
}

// plus adds up the counts of two variants.
func (c *counts) plus(o *counts) {
	c.Projects += o.Projects
	c.Exact += o.Exact
	c.Refused += o.Refused
	c.Unlisted += o.Unlisted
	c.Wrong += o.Wrong
	c.NotLoaded += o.NotLoaded
	c.Other += o.Other
	for reason, n := range o.Reasons {
		c.Reasons[reason] += n
	}
	for reason, n := range o.Unloadable {
		c.Unloadable[reason] += n
	}
	c.Findings = append(c.Findings, o.Findings...)
}

// edits are all that were asked for.
func (c *counts) edits() int { return c.Exact + c.Refused + c.Wrong }

// share is how many of the edits that were made are exact.
func (c *counts) share() string {
	made := c.Exact + c.Wrong
	if made == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(c.Exact)/float64(made))
}
