package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Error is a call of git that failed.
type Error struct {
	Args     []string // without "git" itself
	ExitCode int      // -1 if a signal ended it
	Stderr   string   // without passwords and tokens in URLs
}

// Error is the last line of git's words that says something.
func (e *Error) Error() string {
	words := lastWords(e.Stderr)
	if words == "" {
		words = fmt.Sprintf("exit status %d", e.ExitCode)
	}
	return "git " + e.Args[0] + ": " + words
}

// Hint is the command that mends what git complained about, where one does.
func (e *Error) Hint() string {
	for _, known := range mendable {
		if m := known.complaint.FindStringSubmatch(e.Stderr); m != nil {
			return known.complaint.ReplaceAllString(m[0], known.command)
		}
	}
	return ""
}

var mendable = []struct {
	complaint *regexp.Regexp
	command   string
}{
	{regexp.MustCompile(`(?:dubious ownership in|unsafe) repository (?:at |\()'([^']+)'.*`), "git config --global --add safe.directory '$1'"},
	{regexp.MustCompile(`Please tell me who you are.*`), `git config --global user.name "Your Name" && git config --global user.email you@example.org`},
	{regexp.MustCompile(`would clobber existing tag.*`), "git fetch --tags --force"},
	{regexp.MustCompile(`Unable to create '([^']+\.lock)': File exists.*`), "rm '$1', if no other git is running"},
}

// noise are lines that git ends with after the one that says what is wrong.
var noise = regexp.MustCompile(`^(hint:|To |From | [ *+=t-] .* -> |error: failed to push some refs|fatal: Could not read from remote repository|` +
	`Please make sure you have the correct access rights|and the repository exists|Aborting|remote:\s*$|\s*$)`)

func lastWords(stderr string) string {
	last := ""
	for line := range strings.Lines(stderr) {
		if !noise.MatchString(line) {
			last = strings.TrimSpace(line)
		}
	}
	if last == "" {
		last, _, _ = strings.Cut(strings.TrimSpace(stderr), "\n")
	}
	for _, prefix := range []string{"fatal: ", "error: "} {
		last = strings.TrimPrefix(last, prefix)
	}
	return last
}

// secrets are what stands before the @ of a URL: over http anything can be a token, elsewhere the
// user is none.
var secrets = []struct {
	pattern *regexp.Regexp
	without string
}{
	{regexp.MustCompile(`(?i)(https?://)[^/\s']+@`), "$1"},
	{regexp.MustCompile(`(://[^/@:\s']+):[^/\s']+@`), "$1@"},
}

// withoutSecrets takes the credentials out of all URLs in a text.
func withoutSecrets(text string) string {
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.without)
	}
	return text
}

// grace is how long git may take to remove its lock files when it is told to stop.
const grace = 5 * time.Second

// git runs git in the directory of the repository and gives what it printed.
func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	return r.gitInput(ctx, "", args...)
}

// gitInput is git with something to read.
func (r *Repo) gitInput(ctx context.Context, input string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(slices.DeleteFunc(cmd.Environ(), pointsElsewhere), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	// A killed git leaves its lock files behind, and the next one fails on them.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("git %s: %w", args[0], ctx.Err())
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return stdout.String(), &Error{Args: args, ExitCode: exit.ExitCode(), Stderr: withoutSecrets(stderr.String())}
}

// line is git whose answer is one line.
func (r *Repo) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.git(ctx, args...)
	return strings.TrimSuffix(out, "\n"), err
}

// said reports whether git answered with this exit code: for the commands whose "no" is a code.
func said(err error, code int) bool {
	var e *Error
	return errors.As(err, &e) && e.ExitCode == code
}

// literal makes paths stand for themselves: one with a star or a colon in it must not match others. It is
// not done by GIT_LITERAL_PATHSPECS, since the user's hooks would inherit that. An empty path stays
// empty, which git refuses, while a literal one would stand for all files.
func literal(paths []string) []string {
	list := slices.Clone(paths)
	for i, path := range list {
		if path != "" {
			list[i] = ":(literal)" + path
		}
	}
	return list
}

// fields splits what git printed with -z.
func fields(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// pointsElsewhere reports whether a variable would have git work on another repository than the one
// that was opened; git itself sets them for its hooks, where promote may be run.
func pointsElsewhere(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"}, name)
}
