package promotion

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check is a question that a new container of a compose service has to answer before the old one goes.
// It is put from the environment's machine, beside the container's own health check or in place of
// one. One of HTTP, TCP and Run is set.
type Check struct {
	Service string        `json:"service"` // the compose service whose containers are asked
	HTTP    *HTTPCheck    `json:"http,omitempty"`
	TCP     int           `json:"tcp,omitempty"` // port that takes a connection
	Run     []string      `json:"run,omitempty"` // program and arguments, in the container; exits with 0
	Timeout time.Duration `json:"timeout"`       // of one try
}

// HTTPCheck is a GET request to a container's own address. Redirects are not followed.
type HTTPCheck struct {
	Port   int    `json:"port"`
	Path   string `json:"path"`             // with the query
	Status int    `json:"status,omitempty"` // the only good one; 0 takes those from 200 to 399
	Host   string `json:"host,omitempty"`   // the Host header; empty is the address
}

// Passes reports whether an answer is good.
func (h HTTPCheck) Passes(status int) bool {
	if h.Status != 0 {
		return status == h.Status
	}
	return status >= 200 && status < 400
}

// String names the check in words: GET :8080/health, tcp :5432, or the command.
func (c Check) String() string {
	switch {
	case c.HTTP != nil:
		return "GET :" + strconv.Itoa(c.HTTP.Port) + c.HTTP.Path
	case c.TCP != 0:
		return "tcp :" + strconv.Itoa(c.TCP)
	}
	return "`" + CommandLine(c.Run) + "`"
}

// CommandLine shows a command as somebody wrote it: a line of shell as it was, a list with spaces between.
func CommandLine(argv []string) string {
	if !IsShellLine(argv) {
		return strings.Join(argv, " ")
	}
	return strings.Join(append([]string{argv[2]}, argv[min(len(argv), 4):]...), " ")
}

// WithArguments is a command with more arguments; a line of shell finds them as $1, $2, ….
func WithArguments(argv, more []string) []string {
	if len(argv) == 0 || len(more) == 0 {
		return argv
	}
	if IsShellLine(argv) {
		argv = append(slices.Clip(argv), "promote") // which the shell takes for its name, $0
	}
	return append(slices.Clip(argv), more...)
}

// IsShellLine tells a command that ShellLine made, with arguments or without.
func IsShellLine(argv []string) bool {
	return len(argv) >= 3 && slices.Equal(argv[:2], shell)
}

var shell = []string{"/bin/sh", "-c"}

// ShellLine is the program and arguments that run a line of shell.
func ShellLine(line string) []string { return append(shell[:2:2], line) }

// ChecksOf are the checks of a compose service; only the service that it runs has any for it.
func (t Target) ChecksOf(composeService string) []Check {
	var list []Check
	for _, s := range t.Services {
		if !slices.Contains(s.Runs, composeService) {
			continue
		}
		for _, c := range s.Checks {
			if c.Service == composeService {
				list = append(list, c)
			}
		}
	}
	return list
}
