package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"promote/internal/notes"
	"promote/semver"
)

// rangeEnd is one end of a range of commits.
type rangeEnd struct {
	label string // a version, or a revision as it was typed
	rev   string // for git
	page  string // for the page that compares: a tag or a hash
}

// unreleased is the end of a range that goes up to HEAD.
const unreleased = "Unreleased"

func (t taggedVersion) asEnd() rangeEnd { return rangeEnd{t.version.String(), t.rev, t.tagName()} }

// Notes tells what changed in a range: FROM..TO, one VERSION, or since the last version, if it is empty. Their
// Schema is not set.
func (s *Service) Notes(ctx context.Context, text string) (notes.Notes, error) {
	from, to, err := parseRange(ctx, s, text)
	if err != nil {
		return notes.Notes{}, err
	}
	log, err := s.listCommits(ctx, from.rev, to.rev)
	if err != nil {
		return notes.Notes{}, err
	}
	forge, err := s.project.findForge(ctx)
	n := notes.Notes{
		Service: s.Name, From: from.label, To: to.label,
		Compare: forge.Compare(from.page, to.page), Groups: notes.Groups(withoutBumps(log), forge),
	}
	if len(log) > 0 {
		n.Date = log[0].Time.Format(time.DateOnly)
	}
	return n, err
}

// parseRange reads FROM..TO, VERSION, or nothing.
func parseRange(ctx context.Context, s *Service, text string) (from, to rangeEnd, err error) {
	if err := s.project.tags.requireFullClone(); err != nil {
		return from, to, err
	}
	first, last, isRange := strings.Cut(text, "..")
	switch {
	case strings.HasPrefix(last, "."):
		return from, to, &fixableError{text: fmt.Sprintf("%q has a dot too many", text), hint: "promote notes v1.4.2..v1.5.0"}
	case text == "":
		h, err := s.readHistory(ctx)
		if err != nil {
			return from, to, err
		}
		from = h.newest().asEnd()
	case !isRange:
		last = first
		from, err = versionBefore(s, first)
	case first != "":
		from, err = parseEnd(ctx, s, first)
	}
	if err == nil {
		to, err = parseEnd(ctx, s, last)
	}
	return from, to, err
}

// parseEnd finds what a version or a revision stands for; HEAD, if it is left out.
func parseEnd(ctx context.Context, s *Service, text string) (rangeEnd, error) {
	if text == "" || text == "HEAD" {
		head, err := s.project.repo.Head(ctx)
		return rangeEnd{unreleased, head, head}, err
	}
	v, err := semver.Parse(text)
	if err != nil {
		return rangeEnd{text, text, text}, nil
	}
	tags, err := s.project.tags.list()
	if err != nil {
		return rangeEnd{}, err
	}
	for _, t := range parseTags(s.GitTag, tags).versions {
		if t.version == v {
			return t.asEnd(), nil
		}
	}
	return rangeEnd{}, &fixableError{text: fmt.Sprintf("%s has no git tag of %s", s.Name, v), hint: "git fetch --tags, or promote notes REVISION..REVISION"}
}

// versionBefore is the version before another one; the stable one before a stable one.
func versionBefore(s *Service, text string) (rangeEnd, error) {
	v, err := semver.Parse(text)
	if err != nil {
		return rangeEnd{}, &fixableError{text: fmt.Sprintf("%q is neither a version nor FROM..TO", text), hint: "promote notes " + text + "..HEAD"}
	}
	tags, err := s.project.tags.list()
	if err != nil {
		return rangeEnd{}, err
	}
	for _, t := range slices.Backward(parseTags(s.GitTag, tags).versions) {
		if t.version.Less(v) && (t.version.Stable() || !v.Stable()) {
			return t.asEnd(), nil
		}
	}
	return rangeEnd{}, nil
}
