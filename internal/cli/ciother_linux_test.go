package cli

import (
	"html"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

func unescape(text string) string { return html.UnescapeString(text) }

// gitlabJob is a job of GitLab CI, or the default of all, as far as the example goes.
type gitlabJob struct {
	Variables    map[string]string
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	Artifacts    struct {
		Reports struct{ Dotenv string }
	}
}

func gitlabRun(r *runner) {
	data := r.example("gitlab", "gitlab-ci.yml")
	var all struct {
		Default                gitlabJob
		Variables              map[string]string
		Publish, Staging, Prod gitlabJob
	}
	r.check(yaml.Unmarshal(data, &all))
	// The runner reaches its remote under GitLab's name.
	config := filepath.Join(r.TempDir(), "gitconfig")
	text := "[url \"" + filepath.Join(r.site.dir, "origin.git") + "\"]\n\tinsteadOf = https://gitlab.example.org/aegee/core.git\n"
	r.check(os.WriteFile(config, []byte(text), 0o644))
	handed := map[string]string{} // by dotenv reports to later jobs
	for _, j := range []gitlabJob{all.Publish, all.Staging, all.Prod} {
		m := r.machine(nil)
		m.checkout()
		project := map[string]string{
			"CI_PROJECT_DIR": m.dir, "CI_SERVER_HOST": "gitlab.example.org", "CI_PROJECT_PATH": "aegee/core", "GIT_PUSH_TOKEN": pushToken,
			"GIT_CONFIG_GLOBAL": config, "GITLAB_USER_LOGIN": "ada", "DOCKER_HOST": m.env["DOCKER_HOST"],
		}
		maps.Copy(project, r.secrets())
		for _, name := range []string{"DEPLOY_KEY", "KNOWN_HOSTS"} { // of the type file
			project[name] = m.file(name, project[name])
		}
		for _, variables := range []map[string]string{all.Variables, j.Variables, project, handed} {
			for name, value := range variables {
				m.env[name] = os.Expand(value, func(key string) string { return project[key] })
			}
		}
		script := strings.Join(append(all.Default.BeforeScript, j.Script...), "\n")
		if report := j.Artifacts.Reports.Dotenv; report != "" {
			m.pushes(script, nil, "gitlab.example.org")
			handed = m.pairs(filepath.Join(m.dir, report))
		} else {
			m.shell([]string{"sh", "-ec"}, script, nil)
		}
	}
	for name, want := range map[string]string{"PROMOTE_VERSION": r.version, "PROMOTE_NEW": "true", "PROMOTE_GIT_TAG": r.version} {
		if handed[name] != want {
			r.Errorf("%s is %q, want %q", name, handed[name], want)
		}
	}
}

// circleStep is a step of CircleCI's: a script, or a name.
type circleStep struct {
	name, command string
}

// UnmarshalYAML reads `run: script`, `run: {command: script}` and a word alone.
func (s *circleStep) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&s.name)
	}
	var step struct{ Run yaml.Node }
	if err := node.Decode(&step); err != nil {
		return err
	}
	if step.Run.Kind == yaml.ScalarNode {
		return step.Run.Decode(&s.command)
	}
	var run struct{ Command string }
	err := step.Run.Decode(&run)
	s.command = run.Command
	return err
}

type circleJob struct {
	Environment map[string]string
	Steps       []circleStep
}

func circleRun(r *runner) {
	var all struct {
		Commands, Jobs map[string]circleJob
		Workflows      struct {
			Release struct{ Jobs []map[string]any }
		}
	}
	r.check(yaml.Unmarshal(r.example("circleci", "config.yml"), &all))
	for _, entry := range all.Workflows.Release.Jobs {
		for name := range entry {
			if name == "approve" {
				continue // somebody did
			}
			m := r.machine(r.encoded())
			maps.Copy(m.env, all.Jobs[name].Environment)
			m.env["BASH_ENV"] = m.file("bash_env", "")
			m.circleSteps(all.Commands, all.Jobs[name].Steps)
		}
	}
}

func (j *job) circleSteps(commands map[string]circleJob, steps []circleStep) {
	j.Helper()
	if len(steps) == 0 {
		j.Fatal("no steps")
	}
	for _, s := range steps {
		switch {
		case s.name == "checkout":
			j.checkout()
		case s.name != "":
			j.circleSteps(commands, commands[s.name].Steps)
		default:
			j.shell([]string{"bash", "-eo", "pipefail", "-c"}, s.command, nil)
		}
	}
}

func bitbucketRun(r *runner) {
	var all struct {
		Pipelines struct {
			Branches struct {
				Main []struct {
					Step struct{ Script []string }
				}
			}
		}
	}
	r.check(yaml.Unmarshal(r.example("bitbucket", "bitbucket-pipelines.yml"), &all))
	steps := all.Pipelines.Branches.Main
	if len(steps) != 3 {
		r.Fatalf("%d steps", len(steps))
	}
	for _, s := range steps {
		m := r.machine(r.encoded())
		m.checkout()
		m.shell([]string{"bash", "-ec"}, strings.Join(s.Step.Script, "\n"), nil)
	}
}
