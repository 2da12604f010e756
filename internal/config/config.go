// Package config reads promote.yaml, the one file in which a project says what its services and
// environments are.
//
// Use [Find] to locate the file as git locates its repository, and [Load] to read it. The package
// promises three things. Reading is strict: a key that is not known, a value of another type, a
// reference to nothing and a setting that this program can't carry out yet are all mistakes, never
// ignored. Every mistake is reported at once ([Errors]), each with its file, line and column. And the
// file is described once: the tables of keys beside the types are what decodes it, what [Schema]
// gives to editors and what [Reference] gives to the documentation, so the three can't disagree.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config is a promote.yaml that was read without a mistake; every default is filled in.
type Config struct {
	// Path is the file as it was given to Load, Dir the directory it lies in. Paths in the file are
	// relative to Dir.
	Path, Dir string
	// Services and Environments stand in the order of the file.
	Services     []*Service
	Environments []*Environment
	// Linked are sets of services, by name, that always have the same version.
	Linked   [][]string
	Data     []Data
	Notify   []Notify
	SSH      SSH
	Registry Registry
}

// SSH is how this machine reaches hosts.
type SSH struct {
	// Command is the ssh program and its first arguments; empty means `ssh` from PATH.
	Command []string
	// Patience is how long to try to reach a host again whose deployment was followed.
	Patience time.Duration
}

// Load reads the file at path. The places ${NAME} in its values are filled by lookup, which reports
// whether the variable is set; `$$` stands for a dollar. Mistakes in the file come as one *[Errors].
func Load(path string, lookup func(string) (string, bool)) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, lookup)
}

// Parse is Load for a file that was read already. It does no I/O; path is for messages and Dir.
func Parse(path string, data []byte, lookup func(string) (string, bool)) (*Config, error) {
	return parse(path, data, lookup)
}

func parse(path string, data []byte, lookup func(string) (string, bool)) (*Config, error) {
	d := newDecoder(path, lookup)
	c := &Config{Path: path, Dir: filepath.Dir(path)}
	if root := d.document(data); root != nil {
		configKeys.read(d, root, root, c)
		c.derive(d)
		c.check(d)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Service gives the service of that name; the error for an unknown one lists those there are.
func (c *Config) Service(name string) (*Service, error) {
	return find(c.Path, "service", name, c.Services)
}

// LinkedTo gives the service with those that always have its version, in the order of the file.
func (c *Config) LinkedTo(s *Service) []*Service {
	for _, set := range c.Linked {
		if slices.Contains(set, s.Name) {
			return slices.DeleteFunc(slices.Clone(c.Services), func(other *Service) bool { return !slices.Contains(set, other.Name) })
		}
	}
	return []*Service{s}
}

// Environment gives the environment of that name; the error for an unknown one lists those there are.
func (c *Config) Environment(name string) (*Environment, error) {
	return find(c.Path, "environment", name, c.Environments)
}

// UnknownError says that a name stands for nothing in the file.
type UnknownError struct {
	File  string   // the configuration file
	Noun  string   // "service" or "environment"
	Name  string   // what was asked for
	Known []string // what there is, in the order of the file
}

func (e *UnknownError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("unknown %s %q: %s has none", e.Noun, e.Name, e.File)
	}
	return fmt.Sprintf("unknown %s %q: %s has %s", e.Noun, e.Name, e.File, strings.Join(e.Known, ", "))
}

// Hint names the nearest known name, if one is near.
func (e *UnknownError) Hint() string {
	if near := nearest(e.Name, e.Known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

type named interface{ name() string }

func (s *Service) name() string     { return s.Name }
func (e *Environment) name() string { return e.Name }

func find[T named](file, noun, name string, all []T) (T, error) {
	for _, one := range all {
		if one.name() == name {
			return one, nil
		}
	}
	var none T
	return none, &UnknownError{File: file, Noun: noun, Name: name, Known: names(all)}
}

func names[T named](all []T) []string {
	list := make([]string, len(all))
	for i, one := range all {
		list[i] = one.name()
	}
	return list
}

// configKeys describes the top level of promote.yaml.
var configKeys = mapping([]key[Config]{
	at("services", entries(serviceKeys), func(c *Config) *[]*Service { return &c.Services },
		"The services of this repository, by name.").must(),
	at("environments", entries(environmentKeys), func(c *Config) *[]*Environment { return &c.Environments },
		"Where releases run, by name."),
	at("linked", list(set(text)), func(c *Config) *[][]string { return &c.Linked },
		"Sets of services that always have the same version: a bump of one is a bump of all."),
	at("data", list(dataKeys.kind()), func(c *Config) *[]Data { return &c.Data },
		"Data that goes from an environment to one below it, such as a database."),
	at("notify", list(notifyEntry), func(c *Config) *[]Notify { return &c.Notify },
		"Who is told of deployments."),
	at("ssh", sshKeys.kind(), func(c *Config) *SSH { return &c.SSH },
		"How this machine reaches hosts."),
	at("registry", registryKeys.kind(), func(c *Config) *Registry { return &c.Registry },
		"How this machine talks to registries."),
})

var sshKeys = mapping([]key[SSH]{
	at("command", either(single(text), list(text)), func(s *SSH) *[]string { return &s.Command },
		"The ssh program that hosts need, or a list of the program and its first arguments, which runs once PROMOTE_SSH names it, too.").derived("ssh"),
	at("patience", duration, func(s *SSH) *time.Duration { return &s.Patience },
		"How long to try to reconnect to a deployment that goes on without us.").or("2m"),
})
