package cli

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"promote/internal/bed"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// githubFile is a workflow of GitHub Actions, or an action, as far as the examples go.
type githubFile struct {
	Jobs map[string]githubJob
	Runs githubJob // of an action
}

type githubJob struct {
	Steps   []githubStep
	Outputs map[string]string
}

type githubStep struct {
	ID, Uses, Run string
	Env, With     map[string]string
}

// githubRun runs the two workflows.
func githubRun(r *runner) {
	release, prod := r.githubFile(r.example("github", "release.yml")), r.githubFile(r.example("github", "prod.yml"))
	publish := r.githubJob(release.Jobs["publish"], nil)
	if got := publish.expand(release.Jobs["publish"].Outputs["version"]); got != r.version {
		r.Errorf("the job's output is %q, want %s", got, r.version)
	}
	publish.pushes("", publish.environOf(release.Jobs["publish"], "publish"), "github.com")
	for name, want := range map[string]string{"new": "true", "git_tag": r.version, "image": r.site.registry.Addr() + "/aegee/core:" + r.version} {
		if got := publish.known["steps.publish.outputs."+name]; got != want {
			r.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	publish.summarises("publish", r.version)
	r.githubJob(release.Jobs["staging"], nil).summarises("deploy staging", r.version, "done")
	const reason = "$(touch pwned) `x`"
	deployed := r.githubJob(prod.Jobs["prod"], map[string]string{"inputs.reason": reason})
	deployed.summarises("deploy prod", r.version, "done")
	if history := deployed.shell([]string{"sh", "-ec"}, "promote history prod; ls", nil); !strings.Contains(history, reason) || strings.Contains(history, "\npwned") {
		r.Errorf("the history is\n%s", history)
	}
}

// environOf is what a step of a job has in its environment.
func (m *githubMachine) environOf(j githubJob, id string) map[string]string {
	env := map[string]string{}
	for _, s := range j.Steps {
		for name, value := range s.Env {
			if s.ID == id {
				env[name] = m.expand(value)
			}
		}
	}
	return env
}

func (r *runner) githubFile(data []byte) githubFile {
	r.Helper()
	var f githubFile
	r.check(yaml.Unmarshal(data, &f))
	return f
}

// githubMachine is a job with what expressions know, and the files that its steps write to.
type githubMachine struct {
	*job
	known map[string]string
}

func (r *runner) githubJob(j githubJob, known map[string]string) *githubMachine {
	r.Helper()
	temp := r.TempDir()
	m := &githubMachine{known: map[string]string{"vars.PROMOTE_RELEASES": r.site.releases, "github.token": pushToken}, job: r.machine(map[string]string{
		"RUNNER_TEMP": temp, "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada",
		"GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
	})}
	maps.Copy(m.known, known)
	for name, value := range r.secrets() {
		m.known["secrets."+name] = value
	}
	m.steps(j.Steps)
	return m
}

func (m *githubMachine) steps(list []githubStep) {
	m.Helper()
	for _, s := range list {
		switch {
		case strings.HasPrefix(s.Uses, "actions/checkout@"):
			m.checkout()
		case strings.HasPrefix(s.Uses, "example/promote@"):
			m.action(s)
		case s.Run != "" && s.Uses == "":
			m.step(s)
		default:
			m.Fatalf("step %+v?", s)
		}
	}
}

// action runs the action at the top of this repository.
func (m *githubMachine) action(s githubStep) {
	m.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	m.check(err)
	for name, value := range s.With {
		m.known["inputs."+name] = m.expand(value)
	}
	m.steps(m.githubFile(data).Runs.Steps)
	for name := range s.With {
		delete(m.known, "inputs."+name)
	}
}

// step runs a script and reads what it left for the next steps.
func (m *githubMachine) step(s githubStep) {
	m.Helper()
	files := map[string]string{}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"} {
		files[name] = m.file(name, "")
	}
	env := maps.Clone(files)
	for name, value := range s.Env {
		env[name] = m.expand(value)
	}
	m.shell([]string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"}, m.expand(s.Run), env)
	for name, value := range m.pairs(files["GITHUB_OUTPUT"]) {
		m.known["steps."+s.ID+".outputs."+name] = value
	}
	maps.Copy(m.env, m.pairs(files["GITHUB_ENV"]))
	for line := range strings.Lines(m.text(files["GITHUB_PATH"])) {
		m.env["PATH"] = strings.TrimSpace(line) + ":" + m.env["PATH"]
	}
}

func (j *job) text(path string) string {
	j.Helper()
	data, err := os.ReadFile(path)
	j.check(err)
	return string(data)
}

// pairs are the lines NAME=VALUE of a file.
func (j *job) pairs(path string) map[string]string {
	j.Helper()
	pairs := map[string]string{}
	for line := range strings.Lines(j.text(path)) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !found {
			j.Fatalf("%s has the line %q", filepath.Base(path), line)
		}
		pairs[name] = value
	}
	return pairs
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// expand puts in what expressions stand for. One that means nothing is a mistake in the workflow.
func (m *githubMachine) expand(text string) string {
	m.Helper()
	return expression.ReplaceAllStringFunc(text, func(match string) string {
		value, known := m.known[expression.FindStringSubmatch(match)[1]]
		if !known {
			m.Fatalf("%s means nothing in %q", match, text)
		}
		return value
	})
}

// summarises wants words in one line of the job's summary below a title.
func (m *githubMachine) summarises(title string, words ...string) {
	m.Helper()
	summary := unescape(m.text(m.env["GITHUB_STEP_SUMMARY"]))
	_, table, found := strings.Cut(summary, "### "+title+"\n")
	for _, word := range words {
		found = found && strings.Contains(table, word)
	}
	if !found {
		m.Errorf("the summary has no %q with %q:\n%s", title, words, summary)
	}
}

// TestActionOnPath: without a version the action takes the promote that is there, and without one fails.
func TestActionOnPath(t *testing.T) {
	bed.Thorough(t)
	r := &runner{T: t}
	dir, err := built()
	r.check(err)
	data, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	r.check(err)
	m := &githubMachine{known: map[string]string{"inputs.version": "", "inputs.releases": "", "inputs.sha256": ""}, job: &job{runner: r, dir: t.TempDir(), env: map[string]string{"PATH": dir + ":/usr/bin:/bin"}}}
	m.steps(m.githubFile(data).Runs.Steps)
	if version := m.known["steps.install.outputs.version"]; version == "" || strings.Contains(version, "promote") {
		t.Errorf("the version is %q", version)
	}
}

// TestActionRefuses: an archive that is not what sha256 or checksums.txt says, or that this does not name, is not
// used, nor one that comes without TLS.
func TestActionRefuses(t *testing.T) {
	r := &runner{T: t}
	data, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	r.check(err)
	script := r.githubFile(data).Runs.Steps[0].Run
	const name = "promote_v0.9.0_linux_amd64.tar.gz"
	zeros := strings.Repeat("0", 64)
	for _, test := range []struct{ sums, pinned, says string }{
		{zeros + "  " + name + "\n", "", name + ": FAILED"},
		{zeros + "  other.tar.gz\n", "", "no properly formatted"},
		{"", "", "no properly formatted"},
		{"", zeros, "is not what sha256 says"},
		{"x", "-x " + zeros + "\n, .*", "is not what sha256 says"},
	} {
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.sums)) })
		secure, plain := httptest.NewTLSServer(answer), httptest.NewServer(answer)
		for url, says := range map[string]string{secure.URL: test.says, plain.URL: "\"http\" not supported"} {
			cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "VERSION=v0.9.0", "RELEASES=" + url, "SHA256=" + test.pinned, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
				"RUNNER_TEMP=" + t.TempDir(), "LC_ALL=C", "CURL_CA_BUNDLE=" + authorityOf(t, secure),
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), says) || strings.Contains(string(out), "promote version") {
				t.Errorf("%s with %+v: it ends with %v: %s", url, test, err, out)
			}
		}
		secure.Close()
		plain.Close()
	}
}
