package compose

import (
	"encoding/json"
	"slices"
)

// Overlay is a compose file that gives services images and says nothing else: merged over the project's
// files it puts a version to the test before it is written there. It is JSON, which is YAML, and has the
// `version` of the project's first file: docker stack refuses files that differ there.
func (p *Project) Overlay(images map[string]string) ([]byte, error) {
	type service struct {
		Image string `json:"image"`
	}
	overlay := struct {
		Version  string             `json:"version,omitempty"`
		Services map[string]service `json:"services"`
	}{Services: map[string]service{}}
	for name, image := range images {
		overlay.Services[name] = service{image}
	}
	first := p.group.sources[0]
	if version := first.child(first.root, "version"); version != nil {
		overlay.Version = version.Value
	}
	return json.Marshal(overlay)
}

// Environ is what the files' variables are taken from, as NAME=value: the environment that compose would run
// in, and the env files. docker stack reads no env file by itself.
func (p *Project) Environ() ([]string, error) {
	environment, err := p.environment(nil)
	if err != nil {
		return nil, err
	}
	list := environment.Values()
	slices.Sort(list)
	return list, nil
}
