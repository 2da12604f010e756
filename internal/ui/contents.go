package ui

import (
	"fmt"
	"io"
	"strings"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// few is how many commits, or files, are listed without being asked for all.
const few = 10

// Contents shows what moves bring; all of it, or the first few.
func (s *Screen) Contents(w io.Writer, list []deploy.Contents, all bool) {
	for _, c := range list {
		if summarizeContents(c) != "" {
			fmt.Fprintf(w, "%s  %s\n", oneLine(c.Service), oneLine(summarizeContents(c)))
		}
		shown := shownCommits(c, all)
		for _, commit := range shown {
			fmt.Fprintf(w, "  %s  %s  (%s)\n", oneLine(shortHash(commit)), oneLine(commit.Subject), oneLine(commit.Author))
		}
		if more := len(c.Commits) - len(shown); more > 0 {
			fmt.Fprintf(w, "  and %d more: promote diff --long\n", more)
		}
		for _, file := range c.Files {
			if all {
				fmt.Fprintf(w, "  %s\n", oneLine(file))
			}
		}
	}
}

func shortHash(c deploy.Commit) string { return c.Hash[:min(7, len(c.Hash))] }

func shownCommits(c deploy.Contents, all bool) []deploy.Commit {
	if all {
		return c.Commits
	}
	return c.Commits[:min(few, len(c.Commits))]
}

// summarizeContents is a line about a service's contents; empty where there is nothing to say.
func summarizeContents(c deploy.Contents) string {
	var parts []string
	switch {
	case c.Unknown != "":
		parts = append(parts, "its commits are not known: "+c.Unknown)
	case len(c.Commits)+len(c.Files) > 0:
		text := fmt.Sprintf("%s, %s", counted(len(c.Commits), "commit"), counted(len(c.Files), "file"))
		if c.Back {
			text += ", taken back"
		}
		parts = append(parts, text)
	}
	for _, t := range c.Touched {
		parts = append(parts, fmt.Sprintf("%s for %s", t.Task, counted(len(t.Files), "file")))
	}
	if len(c.Unset) > 0 {
		parts = append(parts, "not set here, but upstream: "+strings.Join(c.Unset, ", "))
	}
	if len(c.Only) > 0 {
		parts = append(parts, "set only here: "+strings.Join(c.Only, ", "))
	}
	return strings.Join(parts, "; ")
}

// Pending shows what tasks say that they would do; all of it, or the first few lines.
func (s *Screen) Pending(w io.Writer, list []rollout.Pending, all bool) {
	for _, p := range list {
		fmt.Fprintf(w, "%s  %s: %s\n", oneLine(p.Service), oneLine(p.Task), oneLine(pendingText(p)))
		for i, line := range p.Lines {
			if i == few && !all {
				fmt.Fprintf(w, "  and %d more: promote diff --long\n", len(p.Lines)-few)
				break
			}
			fmt.Fprintf(w, "  %s\n", oneLine(line))
		}
	}
}

// pendingText counts the lines, of which there is one for each migration.
func pendingText(p rollout.Pending) string {
	if p.Error != "" {
		return "it could not say what is pending: " + p.Error
	}
	return fmt.Sprintf("%d pending", len(p.Lines))
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// PlanMarkdown shows a plan and its contents as a section of a page, such as a pull request. escape makes a text
// harmless in Markdown.
func (s *Screen) PlanMarkdown(w io.Writer, p deploy.HostPlan, escape func(string) string) {
	safe := func(text string) string { return strings.ReplaceAll(escape(oneLine(text)), "|", "\\|") }
	fmt.Fprintf(w, "## %s %s\n\n| service | from | to | how |\n|---|---|---|---|\n", safe(string(p.Kind)), safe(p.Target.Environment))
	for _, m := range p.Moves {
		var how []string
		for _, roll := range m.Rolls {
			how = append(how, safe(roll.Strategy+": "+roll.Why))
		}
		for _, name := range m.Tasks {
			how = append(how, "task "+safe(name))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", safe(m.Service), safe(from(m)), safe(promotion.Label(m.To)), strings.Join(how, "<br>"))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "\n> %s: %s\n", safe(note.Service), safe(note.Text))
	}
	for _, c := range p.Contents {
		if summarizeContents(c) == "" {
			continue
		}
		fmt.Fprintf(w, "\n### %s %s → %s\n\n%s\n\n", safe(c.Service), safe(c.From), safe(c.To), safe(summarizeContents(c)))
		for _, commit := range c.Commits {
			fmt.Fprintf(w, "- `%s` %s (%s)\n", safe(shortHash(commit)), safe(commit.Subject), safe(commit.Author))
		}
	}
	for _, pending := range p.Pending {
		fmt.Fprintf(w, "\n### %s %s: %s\n\n", safe(pending.Service), safe(pending.Task), safe(pendingText(pending)))
		for _, line := range pending.Lines {
			fmt.Fprintf(w, "- %s\n", safe(line))
		}
	}
}
