package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/invopop/jsonschema"

	"promote/semver"
)

// The kinds of text that mean something.
var (
	duration       = parsed("a duration such as 90s, 2h or 2d", textSchema, parseDuration)
	imageTag       = parsed("a template with {version}", textSchema, parseImageTag)
	gitTag         = parsed("a template with {version}", textSchema, parseGitTag)
	versions       = parsed(`a range such as ">=1.0.0"`, textSchema, semver.ParseRange)
	repository     = parsed("an image repository", textSchema, parseRepository)
	pattern        = parsed("a regular expression", textSchema, parsePattern)
	relativePath   = parsed("a path relative to this file", textSchema, parseRelative)
	host           = parsed("a host such as ssh://deploy@staging.example.org", textSchema, parseHost)
	webhook        = parsed("an http or https URL", textSchema, parseWebhook)
	platform       = matching(`[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?`, "a platform such as linux/arm64")
	composeService = matching(`[A-Za-z0-9._-]+`, "the name of a compose service")
	builder        = matching(`(tcp|unix)://[^\s]+`, "an address such as tcp://10.0.0.5:1234 or unix:///run/buildkit/buildkitd.sock")
	projectName    = matching(`[a-z0-9][a-z0-9_-]*`, "a project name of a-z, 0-9, _ and -")
)

func textSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string", MinLength: &one} }

var one uint64 = 1

// parseRepository accepts what a registry would take as a repository's name.
func parseRepository(s string) (string, error) {
	wrong := fmt.Errorf("%q is not an image repository: lower case, as in registry.example.org/team/core", shortened(s))
	if strings.Contains(s, "://") {
		return "", wrong
	}
	if bare := withoutTag(s); bare != s {
		return "", fmt.Errorf("write the repository without a tag: %s", bare)
	}
	if _, err := name.NewRepository(s); err != nil {
		return "", wrong
	}
	return s, nil
}

// withoutTag cuts a tag and a digest; the colon of a registry's port stands before a slash.
func withoutTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		return image[:colon]
	}
	return image
}

// example stands for the version where a template is tried.
const example = "1.0.0"

func parseImageTag(s string) (semver.Template, error) {
	t, err := semver.ParseTemplate(s)
	if err != nil {
		return t, err
	}
	return t, semver.ValidTag(strings.Replace(s, "{version}", example, 1))
}

// notInRef is what git-check-ref-format(1) forbids in the name of a tag.
var notInRef = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|(\.|\.lock)(/|$)|^[-/]|/$`)

func parseGitTag(s string) (semver.Template, error) {
	t, err := semver.ParseTemplate(s)
	if err != nil {
		return t, err
	}
	if tag := strings.Replace(s, "{version}", example, 1); notInRef.MatchString(tag) {
		return t, fmt.Errorf("%q can't be a git tag", shortened(tag))
	}
	return t, nil
}

func parsePattern(s string) (string, error) {
	re, err := regexp.Compile(s)
	if err != nil {
		return "", err
	}
	if re.NumSubexp() == 0 {
		return "", errors.New("needs a group around the version, as in version=(.*)")
	}
	return s, nil
}

func parseRelative(s string) (string, error) {
	if filepath.IsAbs(s) || strings.HasPrefix(s, "~") {
		return "", fmt.Errorf("expected a path relative to this file, found %q", shortened(s))
	}
	return s, nil
}

// parseHost accepts ssh://[USER@]HOST[:PORT]. Whatever else ssh needs is in its own configuration. What
// begins with a dash would be an option to ssh.
func parseHost(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "ssh" || u.Hostname() == "" || strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User.Username(), "-") {
		return "", fmt.Errorf("expected a host such as ssh://deploy@staging.example.org, found %q", shortened(s))
	}
	if _, secret := u.User.Password(); secret {
		return "", errors.New("a password does not belong here: ssh uses keys")
	}
	if strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		return "", errors.New("a host ends after its port: the directory is set by project")
	}
	return s, nil
}

func parseWebhook(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The value is often a secret: it is not shown.
		return "", errors.New("expected an http or https URL")
	}
	return s, nil
}
