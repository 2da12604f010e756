package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"promote/internal/git"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// Trailers of a commit that is an entry of an environment's history. The first are for people and
// their tools; the last is the entry itself, so that nothing is lost on the way through git.
const (
	trailerDeployment = "Promote-Deployment"
	trailerKind       = "Promote-Kind"
	trailerService    = "Promote-Service"
	trailerFrom       = "Promote-From"
	trailerTo         = "Promote-To"
	trailerReason     = "Promote-Reason"
	trailerEntry      = "Promote-Entry"
)

// commits is the history of an environment whose compose files lie in a checkout that somebody else
// applies: everybody who has the repository has it.
type commits struct {
	ctx    context.Context
	target promotion.Target
}

// Entries reads the history out of the commits.
func (c *commits) Entries() ([]journal.Entry, error) {
	repo, err := git.Open(c.ctx, c.target.Project)
	if err != nil {
		return nil, err
	}
	log, err := repo.Log(c.ctx, "", "HEAD")
	if err != nil {
		return nil, err
	}
	var entries []journal.Entry
	for _, commit := range slices.Backward(log) {
		entry, ok, err := entryOf(commit, c.target.Environment)
		if err != nil {
			return nil, fmt.Errorf("commit %s: %w", commit.Hash, err)
		}
		if ok {
			entries = append(entries, entry...)
		}
	}
	return entries, nil
}

// entryOf reads the entry of a commit, as begun and ended at once.
func entryOf(commit git.Commit, environment string) ([]journal.Entry, bool, error) {
	for _, t := range commit.Trailers {
		if t.Key != trailerEntry {
			continue
		}
		var e journal.Entry
		if err := json.Unmarshal([]byte(t.Value), &e); err != nil {
			return nil, false, err
		}
		if e.Environment != environment {
			return nil, false, nil
		}
		if e.Event == journal.Marked {
			return []journal.Entry{e}, true, nil
		}
		begun := e
		begun.Event, begun.Marks = journal.Begun, nil
		return []journal.Entry{begun, e}, true, nil
	}
	return nil, false, nil
}

// Append commits what a deployment changed, and pushes it where that is asked for. What was only begun,
// or failed, leaves no commit. A commit that can't be pushed is taken back.
func (c *commits) Append(e journal.Entry) error {
	if e.Event == journal.Begun || e.Event == journal.Ended && e.Outcome != "done" {
		return nil
	}
	repo, err := git.Open(c.ctx, c.target.Project)
	if err != nil {
		return err
	}
	trailers, err := c.trailers(e)
	if err != nil {
		return err
	}
	rev, err := repo.Commit(c.ctx, c.subject(e), trailers, e.Files...)
	if err != nil || !c.target.Git.Push {
		return err
	}
	branch, err := repo.Branch(c.ctx)
	if err != nil {
		return err
	}
	if err := repo.Push(c.ctx, branch); err != nil {
		if undo := repo.Undo(c.ctx, rev); undo != nil {
			return fmt.Errorf("%w; and the commit could not be taken back: %w", err, undo)
		}
		return err
	}
	return nil
}

func (c *commits) subject(e journal.Entry) string {
	var parts []string
	for _, m := range e.Moves {
		parts = append(parts, m.Service+" "+promotion.Label(m.To))
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s: %s", e.Kind, c.target.Environment, strings.Join(parts, ", ")))
}

func (c *commits) trailers(e journal.Entry) ([]git.Trailer, error) {
	e.Environment = c.target.Environment
	whole, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	list := []git.Trailer{{Key: trailerDeployment, Value: e.ID}, {Key: trailerKind, Value: e.Kind}}
	for _, m := range e.Moves {
		list = append(list,
			git.Trailer{Key: trailerService, Value: m.Service},
			git.Trailer{Key: trailerFrom, Value: promotion.Label(m.From)},
			git.Trailer{Key: trailerTo, Value: promotion.Label(m.To)})
	}
	list = append(list, git.Trailer{Key: trailerReason, Value: e.Reason}, git.Trailer{Key: trailerEntry, Value: string(whole)})
	return slices.DeleteFunc(list, func(t git.Trailer) bool { return t.Value == "" }), nil
}
