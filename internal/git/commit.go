package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrUnchanged is a commit of paths in which nothing has changed.
var ErrUnchanged = errors.New("nothing to commit")

// Trailer is a line "Key: Value" at the end of a commit message.
type Trailer struct{ Key, Value string }

// Commit commits these paths as they are on disk, and nothing else: what is staged stays staged, what is
// not stays so. New files are added. The user's hooks run. Trailer values become one line. Without paths
// the commit is an empty one; with paths that have not changed it fails with [ErrUnchanged]. A commit
// that fails, also on a hook, leaves the index as it was.
func (r *Repo) Commit(ctx context.Context, message string, trailers []Trailer, paths ...string) (rev string, err error) {
	added, err := r.addNew(ctx, paths)
	if err != nil {
		return "", err
	}
	if err := r.commit(ctx, withTrailers(message, trailers), paths); err != nil {
		return "", errors.Join(err, r.forget(context.WithoutCancel(ctx), added))
	}
	return r.Head(ctx)
}

func (r *Repo) commit(ctx context.Context, message string, paths []string) error {
	args := []string{"commit", "--quiet", "--only", "--cleanup=whitespace", "--file=-"}
	if len(paths) == 0 {
		args = append(args, "--allow-empty")
	} else if dirty, err := r.Dirty(ctx, paths...); err != nil || len(dirty) == 0 {
		return errors.Join(err, unchanged(err, paths))
	}
	_, err := r.gitInput(ctx, message, append(append(args, "--"), literal(paths)...)...)
	return err
}

func unchanged(err error, paths []string) error {
	if err != nil {
		return nil
	}
	return fmt.Errorf("%w in %s", ErrUnchanged, strings.Join(paths, ", "))
}

// addNew tells git of the files among the paths that it does not know, since it commits no others.
func (r *Repo) addNew(ctx context.Context, paths []string) (added string, err error) {
	if len(paths) == 0 {
		return "", nil
	}
	added, err = r.git(ctx, append([]string{"ls-files", "-z", "--others", "--"}, literal(paths)...)...)
	if err != nil || added == "" {
		return "", err
	}
	pathspecs := strings.Join(literal(fields(added)), "\x00")
	_, err = r.gitInput(ctx, pathspecs, "add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
	return added, err
}

// forget takes back addNew.
func (r *Repo) forget(ctx context.Context, added string) error {
	if added == "" {
		return nil
	}
	_, err := r.gitInput(ctx, added, "update-index", "-z", "--force-remove", "--stdin")
	return err
}

// withTrailers puts the trailers below the message, in a paragraph of their own: only the last paragraph
// is read as trailers.
func withTrailers(message string, trailers []Trailer) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(message))
	b.WriteString("\n\n")
	for _, t := range trailers {
		fmt.Fprintf(&b, "%s: %s\n", t.Key, oneLine(t.Value))
	}
	return b.String()
}

func oneLine(value string) string {
	value = strings.ReplaceAll(value, "\r\n", " ")
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, value))
}
