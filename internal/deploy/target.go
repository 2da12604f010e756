package deploy

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"promote/internal/config"
	"promote/internal/promotion"
)

// TargetOf is what the machine of an environment has to know of it. The project directory of an environment on
// this machine has to be there.
func TargetOf(cfg *config.Config, e *config.Environment) (promotion.Target, error) {
	t := promotion.Target{
		Environment: e.Name, Project: e.Project, Compose: e.Compose, EnvFiles: e.EnvFile, Name: e.ProjectName,
		Profiles: e.Profiles, Engine: e.Engine, Accept: e.Accept, Digests: e.Digests,
		Rollout: promotion.Rollout(e.Rollout),
	}
	if e.Git != nil {
		t.Git = &promotion.Git{Commit: e.Git.Commit, Push: e.Git.Push}
	}
	for _, s := range cfg.Services {
		if e.Has(s.Name) {
			t.Services = append(t.Services, serviceOf(s))
		}
	}
	if len(e.Hosts) > 0 {
		if !path.IsAbs(t.Project) {
			return t, fmt.Errorf("%s: project of %s has to be the whole path of the project directory on its host, such as /srv/%s", e.Place, e.Name, e.Name)
		}
		return t, nil
	}
	if !filepath.IsAbs(t.Project) {
		t.Project = filepath.Join(cfg.Dir, t.Project)
	}
	var err error
	t.Project, err = filepath.Abs(t.Project)
	if info, statErr := os.Stat(t.Project); statErr != nil || !info.IsDir() {
		return t, fmt.Errorf("%s: the project directory of %s, %s, is not there", e.Place, e.Name, t.Project)
	}
	return t, err
}

func serviceOf(s *config.Service) promotion.Service {
	t := promotion.Service{
		Name: s.Name, Image: s.Image, Runs: s.Runs, After: s.After, Tag: s.Tag,
		Strategy: s.Strategy, Concurrent: s.Concurrent, Dark: s.Dark, Checks: checksOf(s), Tasks: tasksOf(s),
	}
	if p := s.Proxy; p != nil {
		t.Front = &promotion.Front{Service: p.Service, ProxyCare: promotion.ProxyCare{
			AfterHealthy: argv(p.AfterHealthy), AfterGone: argv(p.AfterGone), Drain: argv(p.Drain), Settle: p.Settle,
		}}
	}
	return t
}

func checksOf(s *config.Service) []promotion.Check {
	var list []promotion.Check
	for _, c := range s.Checks {
		check := promotion.Check{Service: c.Service, TCP: c.TCP, Run: argv(c.Run), Timeout: c.Timeout}
		if c.HTTP.Port != 0 {
			check.HTTP = &promotion.HTTPCheck{Port: c.HTTP.Port, Path: c.HTTP.Path, Status: c.HTTP.Status, Host: c.HTTP.Host}
		}
		list = append(list, check)
	}
	return list
}

func tasksOf(s *config.Service) []promotion.Task {
	var list []promotion.Task
	for _, t := range s.Tasks {
		list = append(list, promotion.Task{
			Name: t.Name, Phase: t.Phase, In: t.In, Run: argv(t.Run), Undo: argv(t.Undo), List: argv(t.List),
			Changed: t.Changed, Timeout: t.Timeout, Optional: !t.Required,
		})
	}
	return list
}

// argv is a command's program and arguments; nil where there is no command.
func argv(c config.Command) []string {
	if c.Shell != "" {
		return promotion.ShellLine(c.Shell)
	}
	return c.Argv
}
