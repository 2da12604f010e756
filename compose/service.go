package compose

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// Service is what is to be known of a service for deploying it: its image, where its version stands,
// and what decides whether two copies of it may run at once.
type Service struct {
	Name       string `json:"name"`
	Image      string `json:"image,omitempty"` // reference, interpolated
	Repository string `json:"repository,omitempty"`
	Pin        Pin    `json:"pin"`
	Place      Place  `json:"place"`
	Refusal    string `json:"refusal,omitempty"` // why the version can't be changed
	Advice     string `json:"advice,omitempty"`  // and the way out

	Replicas        int                 `json:"replicas"`
	Ports           []string            `json:"ports,omitempty"` // published on the host, as 80/tcp
	ContainerName   string              `json:"container_name,omitempty"`
	NetworkMode     string              `json:"network_mode,omitempty"`
	StaticAddress   bool                `json:"static_address,omitempty"`
	SharedNamespace bool                `json:"shared_namespace,omitempty"` // another service is in its network, pid or ipc namespace
	Attached        []string            `json:"attached,omitempty"`         // those services, and the ones in theirs; each behind the one that it is attached to
	Completes       bool                `json:"completes,omitempty"`        // another service waits for it to end well
	WritableVolumes []string            `json:"writable_volumes,omitempty"`
	HealthCheck     bool                `json:"health_check,omitempty"` // in the compose file; an image may bring one too
	DependsOn       []string            `json:"depends_on,omitempty"`
	Restart         string              `json:"restart,omitempty"`
	Update          Update              `json:"update,omitzero"`    // deploy.update_config
	PreStop         []Hook              `json:"-"`                  // what is to run in a container before it is stopped; its environment is nobody else's
	Aliases         map[string][]string `json:"aliases,omitempty"`  // names of its own, by network
	NotDark         string              `json:"not_dark,omitempty"` // why its containers can't be started by anybody but compose
	Context         string              `json:"context,omitempty"`  // it is built from, absolute
	Disabled        bool                `json:"disabled,omitempty"` // by its profiles
}

// Services are the services of the project by name, those that no profile enables included; with
// Options.Services only those.
func (p *Project) Services() []Service {
	services := all(p.model)
	tenants, awaited := namespaceTenants(services), p.Awaited()
	var list []Service
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if wanted := p.options.Services; len(wanted) > 0 && !slices.Contains(wanted, name) {
			continue
		}
		s := facts(services[name])
		s.Aliases = aliases(p.model, services[name])
		s.Attached, s.Completes = attachedTo(name, tenants), awaited[name]
		s.SharedNamespace, s.NotDark = len(s.Attached) > 0, notDark(p.model, services[name])
		_, s.Disabled = p.model.DisabledServices[name]
		p.describe(&s)
		list = append(list, s)
	}
	return list
}

// describe adds where the service's version stands.
func (p *Project) describe(s *Service) {
	s.Repository, s.Pin, _ = SplitReference(s.Image) // compose itself will refuse an image that is none
	found := p.located[s.Name]
	if found.err != nil {
		s.Refusal = found.err.Error()
		var refusal *Error
		if errors.As(found.err, &refusal) {
			s.Place, s.Advice = Place{File: refusal.File, Line: refusal.Line, Column: refusal.Column}, refusal.Advice
		}
		return
	}
	line, column := found.position(found.at.start)
	s.Place = Place{File: found.path, Line: line, Column: column, In: found.in, Services: slices.Clone(p.sharers[found.key()])}
}

func facts(c types.ServiceConfig) Service {
	s := Service{
		Name: c.Name, Image: c.Image, Replicas: c.GetScale(), ContainerName: c.ContainerName, NetworkMode: c.NetworkMode,
		Restart: c.Restart, DependsOn: slices.Sorted(maps.Keys(c.DependsOn)),
		HealthCheck: c.HealthCheck != nil && !c.HealthCheck.Disable && len(c.HealthCheck.Test) > 0 && c.HealthCheck.Test[0] != "NONE",
	}
	for _, port := range c.Ports {
		if port.Published != "" {
			s.Ports = append(s.Ports, fmt.Sprintf("%s/%s", port.Published, port.Protocol))
		}
	}
	for _, network := range c.Networks {
		s.StaticAddress = s.StaticAddress || network != nil && (network.Ipv4Address != "" || network.Ipv6Address != "" || network.MacAddress != "")
	}
	for _, volume := range c.Volumes {
		if socket := strings.HasSuffix(volume.Source, ".sock"); !socket && !volume.ReadOnly && (volume.Type == types.VolumeTypeBind || volume.Type == types.VolumeTypeVolume && volume.Source != "") {
			s.WritableVolumes = append(s.WritableVolumes, volume.Target)
		}
	}
	for _, other := range c.VolumesFrom {
		if !strings.HasSuffix(other, ":ro") {
			s.WritableVolumes = append(s.WritableVolumes, other)
		}
	}
	if c.Deploy != nil && c.Deploy.UpdateConfig != nil {
		s.Update = update(c.Deploy.UpdateConfig)
	}
	for _, hook := range c.PreStop {
		s.PreStop = append(s.PreStop, Hook{Command: hook.Command, User: hook.User, Privileged: hook.Privileged, Dir: hook.WorkingDir, Environ: hook.Environment.ToMapping().Values()})
	}
	if c.Build != nil {
		s.Context = c.Build.Context
	}
	return s
}

// Given are the names of the variables that a service's containers get, from environment and env_file; never
// their values. An env file that is not there has none.
func (p *Project) Given(service string) []string {
	c, enabled := p.model.Services[service]
	if !enabled {
		c = p.model.DisabledServices[service]
	}
	names := maps.Clone(c.Environment)
	if names == nil {
		names = types.MappingWithEquals{}
	}
	for _, f := range c.EnvFiles {
		data, err := os.ReadFile(f.Path)
		if err != nil {
			continue
		}
		for _, a := range assignments(string(data)) {
			names[a.name] = nil
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// namespaceTenants are by service the services in its network, pid or ipc namespace: replacing it takes the ground from
// under them.
func namespaceTenants(services map[string]types.ServiceConfig) map[string][]string {
	owners := map[string]string{} // how a mode names them
	for name, c := range services {
		owners["service:"+name] = name
		if c.ContainerName != "" {
			owners["container:"+c.ContainerName] = name
		}
	}
	tenants := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		c := services[name]
		for _, mode := range []string{c.NetworkMode, c.Ipc, c.Pid} {
			if owner, ok := owners[mode]; ok && owner != name && !slices.Contains(tenants[owner], name) {
				tenants[owner] = append(tenants[owner], name)
			}
		}
	}
	return tenants
}

// attachedTo lists the tenants of a service and theirs, a service behind all that it is attached to.
func attachedTo(owner string, tenants map[string][]string) []string {
	var list []string
	seen := map[string]bool{owner: true}
	var visit func(string)
	visit = func(name string) {
		for _, tenant := range slices.Backward(tenants[name]) {
			if !seen[tenant] {
				seen[tenant] = true
				visit(tenant)
				list = append(list, tenant)
			}
		}
	}
	visit(owner)
	slices.Reverse(list)
	return list
}
