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

// argv is a command's program and arguments; nil where there is no command.
func argv(c config.Command) []string {
	if c.Shell != "" {
		return promotion.ShellLine(c.Shell)
	}
	return c.Argv
}
