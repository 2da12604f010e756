package host

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"promote/internal/promotion"
)

// Command is a program and its arguments, or a line of shell, as a check of promote.yaml runs it.
type Command []string

// UnmarshalYAML reads a list as a program and its arguments, and a text as a line of shell.
func (c *Command) UnmarshalYAML(n *yaml.Node) error {
	var line string
	if n.Kind == yaml.ScalarNode {
		err := n.Decode(&line)
		*c = promotion.ShellLine(line)
		return err
	}
	var argv []string
	err := n.Decode(&argv)
	*c = argv
	return err
}

// permitRuns lets checks, proxies and tasks run no other commands than those that the host lists, each to the
// letter: what runs in a container of the project reads its secrets.
func (a *Allowance) permitRuns(t promotion.Target) error {
	for _, wanted := range []struct{ commands, listed [][]string }{
		{t.Commands(), words(a.Commands)}, {t.HostCommands(), words(a.OnHost)},
	} {
		for _, argv := range wanted.commands {
			if !slices.ContainsFunc(wanted.listed, func(c []string) bool { return slices.Equal(c, argv) }) {
				return deny("the command %q is not among those that the host lists", strings.Join(argv, " "))
			}
		}
	}
	return nil
}

func words(commands []Command) [][]string {
	var list [][]string
	for _, c := range commands {
		list = append(list, c)
	}
	return list
}

// permitChecks has checks go to containers of the project only. On the host's network there is no
// telling those from everything else that listens there.
func permitChecks(state promotion.State, t promotion.Target) error {
	for _, s := range t.Services {
		for _, check := range s.Checks {
			if (check.HTTP != nil || check.TCP != 0) && !hasOwnNetwork(state, check.Service) {
				return deny("%s may be on the host's network, where %s would reach more than it", check.Service, check)
			}
		}
	}
	return nil
}

// hasOwnNetwork follows a service to the one whose network it shares. Of one that the environment does not run, and
// of a container by its name, nobody knows here which network that is.
func hasOwnNetwork(state promotion.State, service string) bool {
	for range len(state.Services) + 1 { // at most so many, but in a circle
		part, found := partOf(state, service)
		other, shares := strings.CutPrefix(part.Compose.NetworkMode, "service:")
		switch {
		case !found || part.Compose.NetworkMode == "host" || strings.HasPrefix(part.Compose.NetworkMode, "container:"):
			return false
		case !shares:
			return true
		}
		service = other
	}
	return false
}

// Data is data that a limited key may have to do with, as the allow file names it: all that it says has to be as
// promote.yaml says it, to the letter. Commands that were allowed one by one could be put together to a dump that
// nothing was hidden in. Without anonymise it can't be read from here, without load it can't be replaced.
type Data struct {
	In        string  `yaml:"in"`
	Dump      Command `yaml:"dump"`
	Anonymise Command `yaml:"anonymise"` // none: there is nothing to hide
	Load      Command `yaml:"load"`
}

// permitDump lets data be read only with what hides in it what is to be hidden.
func (a *Allowance) permitDump(d promotion.Data) error {
	filter := d.Anonymise
	if len(filter) == 0 {
		filter = promotion.ShellLine("none")
	}
	for _, own := range a.Data {
		if own.In == d.In && slices.Equal(own.Dump, d.Dump) && slices.Equal(own.Anonymise, filter) {
			return nil
		}
	}
	return deny("data: %q, with %q to hide in it what is to be hidden, is not among what the host lists", promotion.CommandLine(d.Dump), promotion.CommandLine(filter))
}

// permitLoads lets data be replaced only where the host says so.
func (a *Allowance) permitLoads(plan promotion.Plan) error {
	if plan.Data == nil {
		return nil
	}
	for _, d := range plan.Data.Items {
		listed := slices.ContainsFunc(a.Data, func(own Data) bool {
			return own.In == d.In && slices.Equal(own.Dump, d.Dump) && slices.Equal(own.Load, d.Load)
		})
		if !listed || len(d.Load) == 0 {
			return deny("data: %q, to be replaced by %q, is not among what the host lists", promotion.CommandLine(d.Dump), promotion.CommandLine(d.Load))
		}
	}
	return nil
}
