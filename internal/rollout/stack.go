package rollout

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/promotion"
)

// In a swarm the managers replace the tasks, by the rules of the compose file, and go on with that
// whatever becomes of us. What is left to do is to say what is wanted, to look, and to write it into the
// file once it is so. Until then a `docker stack deploy` by anybody brings back the old version.

// rollStack rolls the services of a wave, all at once: that is how a stack is deployed.
func (r *run) rollStack(ctx context.Context, steps []promotion.Step) error {
	if err := r.begin(); err != nil {
		return err
	}
	r.touch()
	images := r.planned()
	maps.DeleteFunc(images, func(name, _ string) bool {
		return !slices.ContainsFunc(steps, func(s promotion.Step) bool { return s.Service == name })
	})
	for _, step := range steps {
		r.tell(Event{Step: step.Kind, Service: step.Service, Status: Started})
	}
	if err := r.bring(ctx, images); err != nil {
		r.tell(Event{Step: promotion.RollStep, Service: serviceOf(err), Status: Failed, Text: err.Error()})
		return err
	}
	for _, step := range steps {
		_, roll := r.rollOf(step.Service)
		if err := r.commit(ctx, roll); err != nil {
			return err
		}
		r.tell(Event{Step: step.Kind, Service: step.Service, Status: Done})
	}
	return nil
}

// serviceOf is the service that an error is about, if it is about one.
func serviceOf(err error) string {
	var failed *containerError
	if errors.As(err, &failed) {
		return failed.Service
	}
	return ""
}

// planned are the images that the plan wants in the swarm, by service.
func (r *run) planned() map[string]string {
	images := map[string]string{}
	for _, m := range r.Plan.Moves {
		for _, roll := range m.Rolls {
			if !r.fileOnly(roll) {
				images[roll.Service] = imageOf(m, roll)
			}
		}
	}
	return images
}

// imageOf names the image for a swarm: by its digest too, so that every node runs the same bits, whatever
// becomes of the tag.
func imageOf(m promotion.Move, roll promotion.Roll) string {
	pin := roll.Changes[0].To
	pin.Digest = m.To.Digest
	return pin.Join(m.Image)
}

// bring has the swarm run services of the stack from other images, and returns once it does.
func (r *run) bring(ctx context.Context, images map[string]string) error {
	services, err := r.Engine.StackServices(ctx, r.stack.Name)
	if err != nil {
		return err
	}
	if _, err := r.entrust(ctx, services, images); err != nil {
		return err
	}
	overlay, err := r.overlay(ctx, services, images)
	if err != nil {
		return err
	}
	past, err := r.Engine.Tasks(ctx, r.stack.Name)
	if err != nil {
		return err
	}
	if err := r.stack.Deploy(ctx, overlay); err != nil {
		return err
	}
	locked, err := r.entrustNew(ctx, services, images)
	if err != nil {
		return err
	}
	return r.converge(ctx, images, append(past, locked...))
}

// entrust gives the swarm the credentials for new images: its nodes pull by themselves, and later, too.
// Only the services that change get any; `docker stack deploy --with-registry-auth` would take theirs from
// all the others. It returns those that were given some.
func (r *run) entrust(ctx context.Context, services []docker.StackService, images map[string]string) (given []docker.StackService, err error) {
	for _, s := range services {
		auth := r.auth(ctx, r.Credentials, repositoryOf(images[s.Name]))
		if auth == "" {
			continue
		}
		if err := r.Engine.Entrust(ctx, s.ID, auth); err != nil {
			return given, err
		}
		given = append(given, s)
	}
	return given, nil
}

// entrustNew is for the services that were not there to be given any before. The tasks that they have by now
// may be locked out; the swarm will replace these.
func (r *run) entrustNew(ctx context.Context, before []docker.StackService, images map[string]string) (locked []docker.Task, err error) {
	fresh, err := r.Engine.StackServices(ctx, r.stack.Name)
	if err != nil {
		return nil, err
	}
	fresh = slices.DeleteFunc(fresh, func(s docker.StackService) bool { return inStack(before, s.Name) != nil })
	given, err := r.entrust(ctx, fresh, images)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	tasks, err := r.Engine.Tasks(ctx, r.stack.Name)
	return slices.DeleteFunc(tasks, func(t docker.Task) bool {
		return !slices.ContainsFunc(given, func(s docker.StackService) bool { return s.ID == t.Service })
	}), err
}

func repositoryOf(image string) string {
	repository, _, err := compose.SplitReference(image)
	if err != nil {
		return ""
	}
	return repository
}

func inStack(services []docker.StackService, name string) *docker.StackService {
	i := slices.IndexFunc(services, func(s docker.StackService) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &services[i]
}

// overlay names images over the files. Services that are to stay as they are get the name that they were
// deployed with, if it is that of the file with a digest behind it: under another name docker stack would
// ask the registry anew, and get what the tag points to by now.
func (r *run) overlay(ctx context.Context, services []docker.StackService, images map[string]string) ([]byte, error) {
	project, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, written := range project.Services() {
		if s := inStack(services, written.Name); s != nil && strings.HasPrefix(s.Written, written.Image+"@") {
			all[written.Name] = s.Written
		}
	}
	maps.Copy(all, images)
	return project.Overlay(all)
}

// sameImage compares image names as a swarm and a plan write them; a digest that one of them leaves open
// may be any.
func sameImage(a, b string) bool {
	nameA, pinA, errA := compose.SplitReference(a)
	nameB, pinB, errB := compose.SplitReference(b)
	if errA != nil || errB != nil || !compose.SameRepository(nameA, nameB) {
		return false
	}
	if pinA.Digest != "" && pinB.Digest != "" {
		return pinA.Digest == pinB.Digest
	}
	return pinA.Tag == pinB.Tag
}

// undoStack has the swarm run what it ran before, where it does not already.
func (r *run) undoStack(ctx context.Context) error {
	var failures []error
	for _, roll := range slices.Backward(r.rolls()) {
		failures = append(failures, r.undoFiles(ctx, roll))
	}
	services, err := r.Engine.StackServices(ctx, r.stack.Name)
	if err != nil {
		return errors.Join(append(failures, err)...)
	}
	back := map[string]string{}
	for _, roll := range r.rolls() {
		s, was := inStack(services, roll.Service), r.before.Images[roll.Service]
		switch {
		case s == nil || r.fileOnly(roll):
		case was == "":
			failures = append(failures, r.Engine.RemoveService(ctx, s.ID))
		default:
			back[roll.Service] = was
		}
	}
	if len(back) == 0 {
		return errors.Join(failures...)
	}
	settled := func(s docker.StackService) bool {
		was, ours := back[s.Name]
		return !ours || sameImage(s.Image, was) && s.Update != "rollback_paused"
	}
	if slices.ContainsFunc(services, func(s docker.StackService) bool { return !settled(s) }) {
		return errors.Join(append(failures, r.bring(ctx, back))...)
	}
	return errors.Join(append(failures, r.converge(ctx, back, nil))...)
}

// pullable makes sure that the nodes will find the images. What they ran before they may have still: going
// back needs no registry.
func (r *run) pullable(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range r.Plan.Moves {
		group.Go(func() error {
			_, err := r.Engine.Published(ctx, imageOf(m, m.Rolls[0]), r.auth(ctx, r.Credentials, m.Image))
			if err != nil && ctx.Err() == nil && r.Plan.Kind == promotion.Rollback {
				r.tell(Event{Step: promotion.Pull, Service: m.Service, Status: Noted, Text: "only nodes that have the image can run it: " + err.Error()})
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

// rememberStack keeps what the stack's services are made from.
func (r *run) rememberStack(ctx context.Context, stack string) error {
	services, err := r.Engine.StackServices(ctx, stack)
	r.before.Images = map[string]string{}
	for _, s := range services {
		r.before.Images[s.Name] = s.Image
	}
	return err
}

// ordered reports whether the swarm was told of everything that the plan wanted: it goes on with that when the
// worker has died.
func (r *run) ordered(ctx context.Context) bool {
	services, err := r.Engine.StackServices(ctx, r.stack.Name)
	if err != nil {
		return false
	}
	for name, image := range r.planned() {
		if s := inStack(services, name); s == nil || !sameImage(s.Image, image) {
			return false
		}
	}
	return true
}

// finishStack waits for what the swarm was told, and writes it down.
func (r *run) finishStack(ctx context.Context) error {
	if err := r.converge(ctx, r.planned(), nil); err != nil {
		return err
	}
	for _, roll := range r.rolls() {
		if err := r.commit(ctx, roll); err != nil {
			return err
		}
	}
	return r.finishTasks(ctx)
}
