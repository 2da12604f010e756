package git

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Why a remote did not do what it was asked. They are wrapped in a [*RemoteError].
var (
	// ErrRejected is a push that would overwrite what is in the remote: somebody was faster, the branch
	// is behind, or the tag exists.
	ErrRejected = errors.New("rejected")
	// ErrDenied is a remote that knows us too little: no right, no credentials, a protected branch, a
	// hook that declines.
	ErrDenied = errors.New("denied")
	// ErrUnreachable is a remote that can't be talked to. What was pushed when the line was cut may have
	// arrived.
	ErrUnreachable = errors.New("unreachable")
)

// RemoteError is a remote that did not do what it was asked.
type RemoteError struct {
	Remote string
	Kind   error  // ErrRejected, ErrDenied or ErrUnreachable
	Words  string // of the remote, or of git about it; one line
	Cause  *Error
	hint   string
}

func (e *RemoteError) Error() string {
	return fmt.Sprintf("%s by %s: %s", e.Kind, e.Remote, e.Words)
}

// Unwrap gives both the kind and git's own error.
func (e *RemoteError) Unwrap() []error { return []error{e.Kind, e.Cause} }

// Hint is the command that mends it, or that shows more of it.
func (e *RemoteError) Hint() string { return e.hint }

// NoBranchError is a push of no branch.
type NoBranchError struct{}

func (*NoBranchError) Error() string { return "no branch to push: HEAD is detached" }

// Hint is the command that goes to a branch.
func (*NoBranchError) Hint() string { return "git switch BRANCH" }

// Push pushes refs to the remote of [Repo.RemoteURL] under their own names: all arrive, or none. A name
// that does not begin with refs/ is a branch. Nothing is ever overwritten, and no other ref is pushed
// along. It fails with [ErrNoRemote], or with a [*RemoteError].
func (r *Repo) Push(ctx context.Context, refs ...string) error {
	return r.push(ctx, refs)
}

// CanPush finds out whether [Repo.Push] would work, as far as the remote tells without being changed:
// it notices a missing right, a branch that is behind, and a tag that exists. What hooks would say is not
// known before. The user's own pre-push hook is not run.
func (r *Repo) CanPush(ctx context.Context, refs ...string) error {
	return r.push(ctx, refs, "--dry-run", "--no-verify")
}

func (r *Repo) push(ctx context.Context, refs []string, options ...string) error {
	if len(refs) == 0 || slices.Contains(refs, "") {
		return &NoBranchError{}
	}
	remote, err := r.remote(ctx)
	if err != nil {
		return err
	}
	if remote == "" {
		return ErrNoRemote
	}
	args := append([]string{"push", "--atomic", "--porcelain", "--no-follow-tags"}, options...)
	args = append(args, "--", remote)
	for _, ref := range refs {
		args = append(args, refspec(ref))
	}
	out, err := r.git(ctx, args...)
	return remoteError(remote, out, err)
}

// refspec names both sides in full: a short name may be a branch and a tag at once, and what the
// configuration of the remote maps it to is not what was asked for.
func refspec(ref string) string {
	if !strings.HasPrefix(ref, "refs/") {
		ref = "refs/heads/" + ref
	}
	return ref + ":" + ref
}

// Fetch gets the branches and tags of the remote. Without a remote there is nothing to get.
func (r *Repo) Fetch(ctx context.Context) error {
	remote, err := r.remote(ctx)
	if err != nil || remote == "" {
		return err
	}
	_, err = r.git(ctx, "fetch", "--tags", "--", remote)
	return remoteError(remote, "", err)
}

// remoteError finds out what kind of failure a call was that talked to a remote. One that failed on
// this side stays what it is.
func remoteError(remote, stdout string, err error) error {
	var cause *Error
	if !errors.As(err, &cause) {
		return err
	}
	refused := refusals(stdout)
	kind := refusedKind(refused, cause.Stderr)
	if len(refused) == 0 {
		kind = contactKind(cause.Stderr)
	}
	if kind == nil {
		return err
	}
	return &RemoteError{Remote: remote, Kind: kind, Words: words(refused, cause), Cause: cause, hint: hint(kind, remote, refused)}
}

// refusal is a ref that was not pushed.
type refusal struct {
	ref    string
	by     string // "rejected" is git itself, "remote rejected" the other end
	reason string
}

var refusalLine = regexp.MustCompile(`(?m)^!\t[^\t\n]*:([^\t\n]+)\t\[([^\]]+)\](?: \((.*)\))?$`)

// refusals reads the answer of git push --porcelain. Refs that only failed because others did are left out.
func refusals(stdout string) []refusal {
	var list []refusal
	for _, m := range refusalLine.FindAllStringSubmatch(stdout, -1) {
		list = append(list, refusal{ref: m[1], by: m[2], reason: m[3]})
	}
	own := slices.DeleteFunc(slices.Clone(list), func(f refusal) bool { return strings.HasPrefix(f.reason, "atomic push fail") })
	if len(own) == 0 {
		return list
	}
	return own
}

var (
	// overtaken are the words of a remote whose ref moved while the push was under way.
	overtaken = regexp.MustCompile(`(?i)cannot lock ref|failed to update ref|failed to lock|already exists|incorrect old value|atomic transaction failed|fetch first|non-fast-forward`)
	forbidden = regexp.MustCompile(`(?i)declined|denied|protected|permission|not allowed|prohibited|refusing`)
)

// refusedKind tells somebody who was faster from somebody who may not.
func refusedKind(refused []refusal, stderr string) error {
	var reasons string
	for _, f := range refused {
		if f.by == "rejected" {
			return ErrRejected
		}
		reasons += f.reason + "\n"
	}
	if overtaken.MatchString(reasons) && !forbidden.MatchString(reasons+stderr) {
		return ErrRejected
	}
	return ErrDenied
}

// contact tells how talking to a remote failed. The order matters: ssh and git end the story of a key
// that is not accepted with the same words as that of a cut line.
var contact = []struct {
	words *regexp.Regexp
	kind  error
}{
	{regexp.MustCompile(`(?i)could not resolve|connection (refused|reset|timed out|closed)|operation timed out|no route to host|network is unreachable|` +
		`failed to connect|unable to connect|host key verification failed|returned error: 5\d\d|ssl |tls |certificate`), ErrUnreachable},
	{regexp.MustCompile(`(?i)permission denied|permission to .* denied|access denied|authentication failed|not allowed|unauthorized|forbidden|` +
		`insufficient permission|returned error: 40[13]|terminal prompts disabled|could not read (username|password)|repository not found|repository '.*' not found`), ErrDenied},
	{regexp.MustCompile(`(?i)does not appear to be a git repository|could not read from remote|hung up|unexpected disconnect|early eof|unable to access`), ErrUnreachable},
}

func contactKind(stderr string) error {
	for _, c := range contact {
		if c.words.MatchString(stderr) {
			return c.kind
		}
	}
	return nil
}

// words are what the remote said, and which refs it was about.
func words(refused []refusal, cause *Error) string {
	var parts []string
	for _, f := range refused {
		parts = append(parts, strings.TrimSpace(shortRef(f.ref)+" "+f.reason))
	}
	for line := range strings.Lines(cause.Stderr) {
		if said, ok := strings.CutPrefix(line, "remote: "); ok && strings.TrimSpace(said) != "" {
			parts = append(parts, strings.TrimPrefix(strings.TrimSpace(said), "error: "))
		}
	}
	if len(parts) == 0 {
		return lastWords(cause.Stderr)
	}
	return strings.Join(parts, "; ")
}

func shortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
}

func hint(kind error, remote string, refused []refusal) string {
	switch {
	case kind == ErrRejected && slices.ContainsFunc(refused, func(f refusal) bool { return strings.HasPrefix(f.ref, "refs/heads/") }):
		return "git pull --rebase"
	case kind == ErrRejected:
		return "git fetch --tags"
	case kind == ErrDenied:
		return "git push --dry-run " + remote
	}
	return "git ls-remote " + remote
}
