package rollout

import (
	"fmt"
	"path/filepath"
	"strings"

	"promote/internal/promotion"
)

// before is what was there when a deployment began: enough to put it back, and for a person to look at.
type before struct {
	Containers map[string][]promotion.Container `json:"containers"`       // by compose service
	Files      map[string]string                `json:"files"`            // path → its copy in before/
	Images     map[string]string                `json:"images,omitempty"` // of a swarm, by compose service
}

func beforeOf(s promotion.State) before {
	b := before{Containers: map[string][]promotion.Container{}, Files: map[string]string{}}
	for _, service := range s.Services {
		for _, part := range service.Parts {
			b.Containers[part.Compose.Name] = part.Containers
		}
	}
	return b
}

// keep writes down plan, files and containers as they are now.
func (r *run) keep() error {
	if err := r.record.Make(); err != nil {
		return err
	}
	edit, err := r.project.Edit(r.Plan.Changes()...)
	if err != nil {
		return err
	}
	for i, f := range edit.Files() {
		name := fmt.Sprintf("%d-%s", i+1, filepath.Base(f.Path))
		r.before.Files[f.Path] = name
		if err := r.record.Keep(name, f.Before); err != nil {
			return err
		}
	}
	if err := r.record.WriteJSON("before.json", r.before); err != nil {
		return err
	}
	return r.record.WriteJSON("plan.json", r.Plan)
}

// was reports whether a container stood here before the deployment.
func (b before) was(id string) bool {
	for _, list := range b.Containers {
		for _, c := range list {
			if c.ID == id {
				return true
			}
		}
	}
	return false
}

func joined(names []string) string { return strings.Join(names, " ") }
