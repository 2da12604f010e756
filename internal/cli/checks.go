package cli

import (
	"promote/internal/config"
	"promote/internal/promotion"
)

// checksOf are a service's checks as its host has to know them.
func checksOf(s *config.Service) []promotion.Check {
	var list []promotion.Check
	for _, c := range s.Checks {
		check := promotion.Check{Service: c.Service, TCP: c.TCP, Run: c.Run.Argv, Timeout: c.Timeout}
		if c.Run.Shell != "" {
			check.Run = promotion.ShellLine(c.Run.Shell)
		}
		if c.HTTP.Port != 0 {
			check.HTTP = &promotion.HTTPCheck{Port: c.HTTP.Port, Path: c.HTTP.Path, Status: c.HTTP.Status, Host: c.HTTP.Host}
		}
		list = append(list, check)
	}
	return list
}
