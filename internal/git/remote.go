package git

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// ErrNoRemote is a repository that has no remote to push to.
var ErrNoRemote = errors.New("the repository has no remote")

// AmbiguousRemoteError are several remotes of which none is called origin, and a branch that follows
// none of them.
type AmbiguousRemoteError struct{ Remotes []string }

func (e *AmbiguousRemoteError) Error() string {
	return "which remote? the branch follows none of " + strings.Join(e.Remotes, ", ")
}

// Hint is the command that makes the branch follow one of them.
func (e *AmbiguousRemoteError) Hint() string {
	return "git push --set-upstream " + e.Remotes[0] + " HEAD"
}

// remote is the name of the remote that the branch follows, else origin, else the only one; empty if
// there is none.
func (r *Repo) remote(ctx context.Context) (string, error) {
	list, err := r.line(ctx, "remote")
	if err != nil || list == "" {
		return "", err
	}
	remotes := strings.Split(list, "\n")
	upstream, err := r.upstream(ctx)
	switch {
	case err != nil:
		return "", err
	case slices.Contains(remotes, upstream):
		return upstream, nil
	case slices.Contains(remotes, "origin"):
		return "origin", nil
	case len(remotes) == 1:
		return remotes[0], nil
	}
	return "", &AmbiguousRemoteError{Remotes: remotes}
}

// upstream is the remote that the branch follows, which may also be "." (a branch here) or a URL.
func (r *Repo) upstream(ctx context.Context) (string, error) {
	branch, err := r.Branch(ctx)
	if err != nil || branch == "" {
		return "", err
	}
	name, err := r.line(ctx, "config", "--get", "branch."+branch+".remote")
	if said(err, 1) {
		return "", nil
	}
	return name, err
}

// RemoteURL is where the remote is that the branch follows, else origin, else the only one, without
// credentials; empty if the repository has no remote.
func (r *Repo) RemoteURL(ctx context.Context) (string, error) {
	remote, err := r.remote(ctx)
	if err != nil || remote == "" {
		return "", err
	}
	location, err := r.line(ctx, "remote", "get-url", "--", remote)
	return withoutSecrets(location), err
}

// SourceURL is the remote as a URL for the label org.opencontainers.image.source, which registries make
// a link of: over https, without .git. It is empty for a remote on this machine, or none.
func (r *Repo) SourceURL(ctx context.Context) (string, error) {
	location, err := r.RemoteURL(ctx)
	return sourceURL(location), err
}

// sourceURL is the web page of a remote, as far as its address tells: git hosts serve the path that they
// serve over ssh over https too, on its usual port.
func sourceURL(location string) string {
	if host, path, ok := scpLike(location); ok {
		location = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(location)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	switch u.Scheme {
	case "ssh", "git", "git+ssh", "ssh+git":
		u.Scheme, u.Host = "https", strings.TrimSuffix(u.Host, ":"+u.Port())
	case "https", "http":
	default:
		return ""
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git")
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String()
}

// scpLike splits git@host:path. A colon after a slash belongs to a path, and one letter before it is a
// drive.
func scpLike(location string) (host, path string, ok bool) {
	host, path, ok = strings.Cut(location, ":")
	return host, path, ok && len(host) > 1 && !strings.Contains(host, "/") &&
		!strings.HasPrefix(path, "//") && !strings.HasPrefix(path, ":")
}
