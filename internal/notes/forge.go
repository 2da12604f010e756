package notes

import (
	"net/url"
	"strings"
)

// Forge is the web page of a repository: what its addresses look like. The zero Forge is one that is not
// known, and has no addresses.
type Forge struct {
	base string
	*addresses
}

// addresses are the paths below the page of a repository.
type addresses struct {
	commit, compare, issue, request string // with what HASH, FROM, TO and N stand for
}

var (
	github    = &addresses{"/commit/HASH", "/compare/FROM...TO", "/issues/N", ""} // it leads on to the pull request itself
	gitlab    = &addresses{"/-/commit/HASH", "/-/compare/FROM...TO", "/-/issues/N", "/-/merge_requests/N"}
	bitbucket = &addresses{"/commits/HASH", "/branches/compare/TO%0DFROM", "/pull-requests/N", ""}
)

// ForgeOf tells GitHub, GitLab, Bitbucket's cloud, Gitea and Forgejo by the host's name, also where a
// team runs its own: gitlab.example.org. The address is that of the repository's page.
func ForgeOf(page string) Forge {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return Forge{}
	}
	u.User = nil
	host := strings.ToLower(u.Hostname())
	for _, known := range []struct {
		name string
		*addresses
	}{{"github", github}, {"gitlab", gitlab}, {"bitbucket.org", bitbucket}, {"gitea", github}, {"forgejo", github}, {"codeberg", github}} {
		if strings.Contains(host, known.name) {
			return Forge{u.String(), known.addresses}
		}
	}
	return Forge{}
}

// Commit is the page of a commit; empty where the forge is not known.
func (f Forge) Commit(hash string) string {
	if f.addresses == nil {
		return ""
	}
	return f.base + strings.Replace(f.commit, "HASH", escape(hash), 1)
}

// Compare is the page that compares two tags or revisions; empty where the forge is not known, or
// without both.
func (f Forge) Compare(from, to string) string {
	if f.addresses == nil || from == "" || to == "" {
		return ""
	}
	return f.base + strings.NewReplacer("FROM", escape(from), "TO", escape(to)).Replace(f.compare)
}

// Reference is the page of an issue or a pull request, #12, or a merge request, !12.
func (f Forge) Reference(text string) string {
	if f.addresses == nil {
		return ""
	}
	path := f.issue
	if text[0] == '!' {
		path = f.request
	}
	if path == "" {
		return ""
	}
	return f.base + strings.Replace(path, "N", text[1:], 1)
}

// escape keeps the slashes of a tag such as core/v1.5.0.
func escape(ref string) string { return (&url.URL{Path: ref}).EscapedPath() }
