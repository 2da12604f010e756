package cli

import (
	"promote/internal/config"
	"promote/internal/promotion"
)

// checksOf are a service's checks as its host has to know them.
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

// tasksOf are a service's tasks as its host has to know them.
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
