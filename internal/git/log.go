package git

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Commit is an entry of the history.
type Commit struct {
	Hash     string
	Author   string
	Email    string    // of the author
	Time     time.Time // of the commit, in UTC
	Subject  string
	Body     string // everything below the subject, with the trailers
	Parents  []string
	Trailers []Trailer
}

// These formats print the fields of a commit, each ended by NUL; the last one's is that of -z. The option
// that separates the key of a trailer needs git 2.31.
const (
	messageFormat    = "%H%x00%an%x00%ae%x00%ct%x00%s%x00%b%x00%P%x00"
	logFormat        = messageFormat + "%(trailers:only=true,unfold=true,separator=%x1e)"
	logFields        = 8
	trailerSeparator = "\x1e"
)

// Log lists the commits that lead to a revision (HEAD if empty) and not to another, newest first; those
// that touch one of the paths, or all; on both sides of a merge, also where it took one side whole. An empty from means from the beginning. A repository without
// commits has none. A revision that is not here is an [ErrUnknownRevision].
func (r *Repo) Log(ctx context.Context, from, to string, paths ...string) ([]Commit, error) {
	return r.log(ctx, logFormat, from, to, paths)
}

// Messages is [Repo.Log] without the trailers, which cost a fifth of the time in a long history.
func (r *Repo) Messages(ctx context.Context, from, to string, paths ...string) ([]Commit, error) {
	return r.log(ctx, messageFormat, from, to, paths)
}

func (r *Repo) log(ctx context.Context, format, from, to string, paths []string) ([]Commit, error) {
	revisions, err := r.between(ctx, from, to)
	if errors.Is(err, ErrNoCommits) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// The user may have git log show signatures, or follow a single file to where it was copied from.
	args := []string{"-c", "log.showSignature=false", "-c", "log.follow=false",
		"log", "-z", "--full-history", "--encoding=UTF-8", "--format=" + format}
	args = append(append(args, revisions...), "--")
	out, err := r.git(ctx, append(args, literal(paths)...)...)
	if err != nil || out == "" {
		return nil, err
	}
	return parseLog(out)
}

// between are the arguments of git log for a range.
func (r *Repo) between(ctx context.Context, from, to string) ([]string, error) {
	last, err := r.head(ctx, to)
	if err != nil || from == "" {
		return []string{last}, err
	}
	first, err := r.resolve(ctx, from)
	return []string{last, "^" + first}, err
}

// head resolves a revision that may be left out.
func (r *Repo) head(ctx context.Context, revision string) (string, error) {
	if revision == "" || revision == "HEAD" {
		return r.Head(ctx)
	}
	return r.resolve(ctx, revision)
}

func parseLog(out string) ([]Commit, error) {
	all := fields(out)
	if len(all)%logFields != 0 {
		return nil, fmt.Errorf("git log: %d fields, which is no multiple of %d", len(all), logFields)
	}
	commits := make([]Commit, 0, len(all)/logFields)
	for ; len(all) > 0; all = all[logFields:] {
		seconds, _ := strconv.ParseInt(all[3], 10, 64) // old tools wrote commits without a date
		commits = append(commits, Commit{
			Hash: all[0], Author: all[1], Email: all[2], Time: time.Unix(seconds, 0).UTC(),
			Subject: all[4], Body: strings.TrimSpace(all[5]), Parents: strings.Fields(all[6]), Trailers: parseTrailers(all[7]),
		})
	}
	return commits, nil
}

func parseTrailers(text string) []Trailer {
	var trailers []Trailer
	for part := range strings.SplitSeq(text, trailerSeparator) {
		if key, value, ok := strings.Cut(part, ":"); ok {
			trailers = append(trailers, Trailer{Key: strings.TrimSpace(key), Value: strings.TrimSpace(value)})
		}
	}
	return trailers
}

// ChangedFiles lists the files that differ between two revisions, whatever happened in between; below
// the paths, or all. An empty from is a repository without files, an empty to is HEAD. A renamed file is
// listed under both names.
func (r *Repo) ChangedFiles(ctx context.Context, from, to string, paths ...string) ([]string, error) {
	last, err := r.head(ctx, to)
	if errors.Is(err, ErrNoCommits) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if from != "" {
		if from, err = r.resolve(ctx, from); err != nil {
			return nil, err
		}
	}
	return r.changed(ctx, from, last, paths...)
}

// changed compares two commits; an empty one has no files.
func (r *Repo) changed(ctx context.Context, from, to string, paths ...string) ([]string, error) {
	from, err := r.tree(ctx, from)
	if err != nil {
		return nil, err
	}
	args := []string{"diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to, "--"}
	out, err := r.git(ctx, append(args, literal(paths)...)...)
	return fields(out), err
}

// tree is the revision, or the tree without files if it is empty; its hash depends on the repository's
// hash function.
func (r *Repo) tree(ctx context.Context, rev string) (string, error) {
	if rev != "" {
		return rev, nil
	}
	return r.line(ctx, "hash-object", "-t", "tree", "--stdin")
}
