package promotion

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"promote/compose"
	"promote/registry"
	"promote/semver"
)

// State is an environment as it was found: what its files say, what runs, what its journal knows.
type State struct {
	Environment string         `json:"environment"`
	Project     string         `json:"project"` // compose project name
	Now         time.Time      `json:"now"`     // the clock of the environment's machine, the one both ends of an interval are measured by
	Services    []ServiceState `json:"services"`
	Interrupted *Interrupted   `json:"interrupted,omitempty"`
	Lock        string         `json:"lock,omitempty"`   // who is at it right now, in words
	Locked      *Mark          `json:"locked,omitempty"` // by whom nobody is to deploy here, until they unlock it
}

// ServiceState is one service in an environment.
type ServiceState struct {
	Service string    `json:"service"`
	Image   string    `json:"image"`
	Parts   []Part    `json:"parts"`             // its compose services, in the order of runs
	Marks   []Mark    `json:"marks,omitempty"`   // what the journal says of it, oldest first
	Absent  bool      `json:"absent,omitempty"`  // no compose service of it stands in the files
	Problem string    `json:"problem,omitempty"` // why it can't be moved
	Advice  string    `json:"advice,omitempty"`  // what to do about the problem
	Last    time.Time `json:"last,omitzero"`     // when it last moved
	Ran     []TaskRun `json:"ran,omitempty"`     // its migrations and backups, oldest first
}

// Part is one compose service of a service.
type Part struct {
	Compose    compose.Service `json:"compose"`
	Containers []Container     `json:"containers,omitempty"`
	Neighbours []Neighbour     `json:"neighbours,omitempty"` // reverse proxies that may be in front of it
	Given      []string        `json:"given,omitempty"`      // names of the variables that its containers get
	Attached   []string        `json:"attached,omitempty"`   // compose services that run in its containers' namespaces, as in compose.Service
}

// Container is one that exists for a compose service.
type Container struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Image    string `json:"image"`    // reference it was made from
	ImageID  string `json:"image_id"` // of the image itself
	Digest   string `json:"digest"`   // of that image, in its repository; empty when the engine knows none
	State    string `json:"state"`    // running, exited, …
	Health   string `json:"health"`   // healthy, unhealthy, starting; empty without a health check
	ExitCode int    `json:"exit"`     // meaningful when exited
	Restarts int    `json:"restarts"` // by the engine's restart policy
}

// Interrupted is a deployment that began and did not end.
type Interrupted struct {
	ID   string    `json:"id"`
	Kind Kind      `json:"kind"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Up reports whether the container does its work: running and not unhealthy, or finished well. One that
// the engine has not looked at yet ("starting") counts: a rollout asks it itself, and earlier.
func (c Container) Up() bool {
	switch c.State {
	case "running":
		return c.Health != "unhealthy"
	case "exited":
		return c.ExitCode == 0
	}
	return false
}

// Service returns the state of a service by name.
func (s State) Service(name string) (ServiceState, bool) {
	for _, v := range s.Services {
		if v.Service == name {
			return v, true
		}
	}
	return ServiceState{}, false
}

// Basis is a fingerprint of all that a plan is made from. The host side compares it under the lock:
// when it differs, the plan is about a state that is gone.
func (s State) Basis() string {
	type part struct {
		Image      string
		File       string
		Containers []string
	}
	var facts []any
	for _, v := range s.Services {
		for _, p := range v.Parts {
			f := part{Image: p.Compose.Image, File: p.Compose.Place.File}
			for _, c := range p.Containers {
				f.Containers = append(f.Containers, c.ID)
			}
			facts = append(facts, f)
		}
		facts = append(facts, len(v.Marks))
	}
	facts = append(facts, s.Locked != nil)
	text, err := json.Marshal(facts)
	if err != nil {
		panic(fmt.Sprintf("promotion: state can't be encoded: %v", err)) // strings and numbers only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Pin is what the files say for the service. Its compose services may differ; that is drift, and the
// first one speaks.
func (s ServiceState) Pin() compose.Pin {
	if len(s.Parts) == 0 {
		return compose.Pin{}
	}
	return s.Parts[0].Compose.Pin
}

// Digest is of the image that the service's containers run; empty when nothing runs, when containers
// differ, or when the engine can't tell.
func (s ServiceState) Digest() string {
	digest := ""
	for _, p := range s.Parts {
		for _, c := range p.Containers {
			if c.Digest == "" || digest != "" && c.Digest != digest {
				return ""
			}
			digest = c.Digest
		}
	}
	return digest
}

// applied reports whether what runs was made from what the files say.
func (s ServiceState) applied() bool {
	for _, p := range s.Parts {
		if slices.ContainsFunc(p.Containers, func(c Container) bool { return c.Image != p.Compose.Image }) {
			return false
		}
	}
	return true
}

// Up reports whether every compose service of the service has a container, each doing its work.
func (s ServiceState) Up() bool {
	for _, p := range s.Parts {
		if p.Compose.Disabled {
			continue
		}
		if len(p.Containers) < max(1, p.Compose.Replicas) {
			return false
		}
		for _, c := range p.Containers {
			if !c.Up() && !p.waitsToRun(c) {
				return false
			}
		}
	}
	return len(s.Parts) > 0
}

// Present is the release that the service is on: named by its files, identified by what runs.
func (s ServiceState) Present(template semver.Template) registry.Release {
	pin := s.Pin()
	release := registry.Release{Repository: s.Image, Tag: pin.Tag, Digest: pin.Digest}
	release.Version, _ = template.Parse(pin.Tag)
	if release.Digest == "" && s.applied() {
		release.Digest = s.Digest()
	}
	if known, ok := fold(s.Marks).find(release); ok && release.Digest == "" {
		release.Digest = known.Digest
	}
	return release
}
