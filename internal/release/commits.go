package release

import (
	"slices"
	"strings"

	"promote/internal/git"
	"promote/semver"
)

// bumpTrailer marks the commit of a bump, so that a bump that was interrupted goes on instead of taking
// the next number.
const bumpTrailer = "Promote-Bump"

// bumpedVersions are the versions that a commit gave to services, by name. A bump that came through a merge
// request and was squashed there has its trailer anywhere in the message.
func bumpedVersions(c git.Commit) map[string]semver.Version {
	if !strings.Contains(c.Body, bumpTrailer) {
		return nil
	}
	versions := map[string]semver.Version{}
	for line := range strings.Lines(c.Body) {
		if value, ok := strings.CutPrefix(line, bumpTrailer+": "); ok {
			name, number, _ := strings.Cut(strings.TrimSpace(value), " ")
			if v, err := semver.Parse(number); err == nil {
				versions[name] = v
			}
		}
	}
	return versions
}

// IsBump reports whether a commit is that of a bump, which brings nothing but versions and changelogs.
func IsBump(c git.Commit) bool { return len(bumpedVersions(c)) > 0 }

func withoutBumps(commits []git.Commit) []git.Commit {
	return slices.DeleteFunc(slices.Clone(commits), IsBump)
}

// eachOnce leaves every commit once, newest first: one commit may touch several services.
func eachOnce(commits []git.Commit) []git.Commit {
	seen := map[string]bool{}
	list := slices.DeleteFunc(slices.Clone(commits), func(c git.Commit) bool {
		known := seen[c.Hash]
		seen[c.Hash] = true
		return known
	})
	slices.SortStableFunc(list, func(a, b git.Commit) int { return b.Time.Compare(a.Time) })
	return list
}

// highestPart is the highest part of a version that commits ask to be bumped, and the newest commit that
// does; 0 if none asks.
func highestPart(commits []git.Commit) (highest semver.Part, because *git.Commit) {
	for i, c := range commits {
		parsed, ok := semver.ParseCommit(c.Subject + "\n\n" + c.Body)
		if !ok {
			continue
		}
		if part, asks := parsed.Part(); asks && (highest == 0 || part < highest) {
			highest, because = part, &commits[i]
		}
	}
	return highest, because
}

// followsRevision reports whether one of the commits is a child of the revision. Of all commits that HEAD has and
// the revision has not, one is, if HEAD contains the revision: git need not be asked for that.
func followsRevision(commits []git.Commit, rev string) bool {
	return slices.ContainsFunc(commits, func(c git.Commit) bool { return slices.Contains(c.Parents, rev) })
}
