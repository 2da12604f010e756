package rollout

import (
	"context"

	"golang.org/x/sync/errgroup"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// Pending is what a task says beforehand that it would do.
type Pending struct {
	Service string   `json:"service"`
	Task    string   `json:"task"`
	Lines   []string `json:"lines"`
	Error   string   `json:"error,omitempty"` // why it could not say it
}

// Pending has the tasks of a plan say what they would do, those in a container of the new image in one of it.
// The images are pulled for that; files, containers and history stay as they are, so that it needs no lock.
func (m *Machine) Pending(ctx context.Context, o Order) ([]Pending, error) {
	r := &run{Machine: m, Order: o}
	state, err := m.State(ctx)
	if err != nil {
		return nil, err
	}
	if r.project, err = r.load(ctx); err != nil {
		return nil, err
	}
	if err := r.connect(state.Project); err != nil {
		return nil, err
	}
	if r.compose.Overlay, err = r.project.Overlay(r.byDigest()); err != nil {
		return nil, err
	}
	group, inner := errgroup.WithContext(ctx)
	asked := make([][]Pending, len(o.Plan.Moves))
	for i, move := range o.Plan.Moves {
		group.Go(func() (err error) { asked[i], err = r.pendingOf(inner, move); return err })
	}
	err = group.Wait()
	var list []Pending
	for _, one := range asked {
		list = append(list, one...)
	}
	return list, err
}

// byDigest are the images of the plan by compose service, as nobody calls them: no name of one in use is moved.
func (r *run) byDigest() map[string]string {
	images := map[string]string{}
	for _, m := range r.Plan.Moves {
		for _, roll := range m.Rolls {
			if m.To.Digest != "" {
				images[roll.Service] = m.Image + "@" + m.To.Digest
			}
		}
	}
	return images
}

// pendingOf asks the tasks of one move.
func (r *run) pendingOf(ctx context.Context, m promotion.Move) ([]Pending, error) {
	var list []Pending
	for _, task := range r.Target.TasksOf(m) {
		if len(task.List) == 0 || task.In == promotion.InHere {
			continue
		}
		if task.In == promotion.InNew && m.To.Digest != "" {
			if _, err := r.Engine.Pull(ctx, m.Image, m.To.Digest, "", r.auth(ctx, r.Credentials, m.Image), func(docker.Progress) {}); err != nil {
				return nil, err
			}
		}
		list = append(list, r.preview(ctx, m.Service, task))
	}
	return list, ctx.Err()
}

// preview runs the list of one task. That it fails is an answer, too.
func (r *run) preview(ctx context.Context, service string, task promotion.Task) Pending {
	p := Pending{Service: service, Task: task.Name, Lines: []string{}}
	own := &run{Machine: r.Machine, Order: r.Order, project: r.project, compose: r.compose}
	own.Tell = func(e Event) { p.Lines = append(p.Lines, e.Text) }
	if err := own.perform(ctx, promotion.Step{Kind: promotion.TaskStep, Service: service, Task: task.Name, List: true}, task); err != nil {
		p.Error = err.Error()
	}
	return p
}
