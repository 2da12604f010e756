package release

import (
	"cmp"
	"context"
	"fmt"

	"promote/internal/git"
	"promote/semver"
)

// Bump is the next version of services that are linked.
type Bump struct {
	Services LinkedServices
	From     semver.Version // the highest that they are on
	To       semver.Version // zero: nothing is to be released
	Part     semver.Part    // that the commits ask for
	Because  *git.Commit    // that asks for it
	Commits  int            // that were looked at
	// Announced says that a prerelease has announced the version, and no commit asks for more.
	Announced bool

	current []semver.Version // that each of the services is on
}

// PlanBumps finds the next versions. Where only those are asked for that changed, the others are left out.
func PlanBumps(ctx context.Context, asked []LinkedServices, request BumpRequest) (bumps []*Bump, err error) {
	for _, services := range asked {
		if request.Changed {
			changed, err := services.haveChanged(ctx, "")
			if err != nil {
				return nil, err
			}
			if !changed {
				continue
			}
		}
		b, err := NextBump(ctx, services, request)
		if err != nil {
			return nil, err
		}
		bumps = append(bumps, b)
	}
	return bumps, nil
}

// PlanCleanBumps is PlanBumps for a tree without changes. git looks at the tree while the commits are read;
// that the tree has changes is the error that is told first.
func (p *Project) PlanCleanBumps(ctx context.Context, asked []LinkedServices, request BumpRequest) ([]*Bump, error) {
	dirty := make(chan error, 1)
	go func() { dirty <- p.RequireCleanTree(ctx) }()
	bumps, err := PlanBumps(ctx, asked, request)
	return bumps, cmp.Or(<-dirty, err)
}

// NextBump finds the next version of services that are linked.
func NextBump(ctx context.Context, services LinkedServices, request BumpRequest) (*Bump, error) {
	b := &Bump{Services: services}
	if err := b.readCurrent(ctx); err != nil {
		return nil, err
	}
	switch {
	case !request.Exact.IsZero():
		b.To = request.Exact
	case request.Auto:
		if err := b.followCommits(ctx); err != nil {
			return nil, err
		}
	default:
		b.To = b.From.Bump(request.Part)
	}
	if request.Prerelease != "" && !b.To.IsZero() {
		if err := b.makePrerelease(ctx, request); err != nil {
			return nil, err
		}
	}
	if !b.To.IsZero() && !b.From.IsZero() && !b.From.Less(b.To) {
		return nil, &fixableError{text: fmt.Sprintf("%s is not newer than %s", b.To, b.From), hint: "promote bump patch"}
	}
	return b, nil
}

// Releases are those that the bump makes, one for each service.
func (b *Bump) Releases() (list Releases, err error) {
	for i, s := range b.Services {
		r, err := s.NewRelease(b.current[i], b.To)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func (b *Bump) readCurrent(ctx context.Context) error {
	for _, s := range b.Services {
		v, err := s.CurrentVersion(ctx)
		if err != nil {
			return err
		}
		if b.current = append(b.current, v); b.From.Less(v) {
			b.From = v
		}
	}
	return nil
}

// followCommits finds the version that the commits since the last stable one ask for. What a prerelease has
// announced already is the least.
func (b *Bump) followCommits(ctx context.Context) error {
	stable, commits, err := b.readHistories(ctx)
	if err != nil {
		return err
	}
	b.Part, b.Because = highestPart(commits)
	b.Commits = len(commits)
	if stable.IsZero() && b.From.Stable() {
		stable = b.From
	}
	b.To = versionAfter(stable, b.Part)
	if stable.Initial() && b.Part != 0 {
		b.Part = b.Part.InInitial()
	}
	if announced := b.From.Final(); !b.From.Stable() && b.To.Less(announced) {
		b.To, b.Part, b.Because, b.Announced = announced, 0, nil, true
	}
	return nil
}

// readHistories finds the highest stable version of the services, and the commits since their own.
func (b *Bump) readHistories(ctx context.Context) (stable semver.Version, commits []git.Commit, err error) {
	for i, s := range b.Services {
		h, err := s.readHistory(ctx)
		if err != nil {
			return stable, nil, err
		}
		if err := s.requireAgreement(b.current[i], h); err != nil {
			return stable, nil, err
		}
		if v := h.newestStable().version; stable.Less(v) {
			stable = v
		}
		commits = append(commits, h.commits...)
	}
	if len(b.Services) > 1 {
		commits = eachOnce(commits)
	}
	return stable, commits, nil
}

// firstVersion is the version of a service that had none.
var firstVersion = semver.MustParse("0.1.0")

// versionAfter is the version that follows a stable one; zero if no part of it is asked for.
func versionAfter(stable semver.Version, part semver.Part) semver.Version {
	switch {
	case part == 0:
		return semver.Version{}
	case stable.IsZero():
		return firstVersion
	case stable.Initial():
		return stable.Bump(part.InInitial())
	}
	return stable.Bump(part)
}

// makePrerelease makes the version a prerelease: the first one, or the one after the last, if something
// changed since or a person wants one.
func (b *Bump) makePrerelease(ctx context.Context, request BumpRequest) error {
	changed, highest := !request.Auto, 0
	for i, s := range b.Services {
		h, err := s.readHistory(ctx)
		if err != nil {
			return err
		}
		newest, number := h.newestPrerelease(b.To, request.Prerelease)
		if n, ok := b.current[i].PrereleaseNumber(request.Prerelease); ok && number == 0 && b.current[i].Final() == b.To {
			number = n // of a file, without any tag
		}
		highest = max(highest, number)
		if number == 0 || changed {
			continue
		}
		commits, err := s.commitsSince(ctx, newest.rev)
		if err != nil {
			return err
		}
		changed = len(commits) > 0
	}
	if highest > 0 && !changed {
		b.To = semver.Version{}
		return nil
	}
	var err error
	b.To, err = b.To.Prerelease(request.Prerelease, highest+1)
	return err
}
