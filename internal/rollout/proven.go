package rollout

import (
	"context"
	"slices"
	"sync"

	"github.com/containerd/errdefs"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// provenContainers are the containers that a deployment proved, by compose service. A proof is of one moment: a
// container may die while its proxies settle or the old one drains, and is asked again before that costs anything.
type provenContainers struct {
	mu        sync.Mutex // compose services are rolled side by side
	byService map[string][]provenContainer
}

// provenContainer is a container, and the roll that says what it was to prove.
type provenContainer struct {
	docker.Container
	roll promotion.Roll
}

// add remembers that a container was proven.
func (p *provenContainers) add(roll promotion.Roll, c docker.Container) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byService == nil {
		p.byService = map[string][]provenContainer{}
	}
	if list := p.byService[roll.Service]; !slices.ContainsFunc(list, func(old provenContainer) bool { return old.ID == c.ID }) {
		p.byService[roll.Service] = append(list, provenContainer{c, roll})
	}
}

// forget drops a service's containers, which are about to be replaced.
func (p *provenContainers) forget(service string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byService, service)
}

// forgetAll drops all containers: what was proven on the way forward is taken away on the way back.
func (p *provenContainers) forgetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.byService)
}

// of returns the containers of one service.
func (p *provenContainers) of(service string) []provenContainer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.byService[service])
}

// stillProven looks once more at the containers of a service that were proven, and fails if one of them does not do
// its work any longer.
func (r *run) stillProven(ctx context.Context, service string) error {
	for _, c := range r.proven.of(service) {
		reason, err := r.settled(ctx, c.roll, c.Container)
		if errdefs.IsNotFound(err) {
			reason, err = removedByOthers, nil
		}
		if err != nil {
			return err
		}
		if reason != "" {
			return r.failed(ctx, c.roll, c.Container, "after its proof: "+reason)
		}
	}
	return nil
}
