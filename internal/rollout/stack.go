package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	if err := r.entrust(ctx, services, images); err != nil {
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
// all the others.
func (r *run) entrust(ctx context.Context, services []docker.StackService, images map[string]string) error {
	for _, s := range services {
		if auth := r.Credentials[repositoryOf(images[s.Name])]; auth != "" {
			if err := r.Engine.Entrust(ctx, s.ID, auth); err != nil {
				return err
			}
		}
	}
	return nil
}

// entrustNew is for the services that were not there to be given any before. The tasks that they have by now
// may be locked out; the swarm will replace these.
func (r *run) entrustNew(ctx context.Context, before []docker.StackService, images map[string]string) (locked []docker.Task, err error) {
	fresh, err := r.Engine.StackServices(ctx, r.stack.Name)
	if err != nil {
		return nil, err
	}
	fresh = slices.DeleteFunc(fresh, func(s docker.StackService) bool { return inStack(before, s.Name) != nil })
	if len(fresh) == 0 {
		return nil, nil
	}
	if err := r.entrust(ctx, fresh, images); err != nil {
		return nil, err
	}
	tasks, err := r.Engine.Tasks(ctx, r.stack.Name)
	return slices.DeleteFunc(tasks, func(t docker.Task) bool {
		return !slices.ContainsFunc(fresh, func(s docker.StackService) bool {
			return s.ID == t.Service && r.Credentials[repositoryOf(images[s.Name])] != ""
		})
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

// lookAgain is how often the tasks are looked at. The engine has events for services, and none for tasks.
const lookAgain = 500 * time.Millisecond

// converge waits until the swarm runs the services from these images. It gives up when nothing has changed
// for as long as a container may take to become healthy.
// Tasks of the past have failed for another reason.
func (r *run) converge(ctx context.Context, images map[string]string, past []docker.Task) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	happened := r.Engine.SwarmEvents(watching)
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	deadline := time.NewTimer(r.Target.Rollout.HealthyDeadline)
	defer deadline.Stop()
	look := &stackLook{run: r, images: images, past: map[string]bool{}, shown: map[string]string{}, up: map[string]time.Time{}}
	for _, t := range past {
		look.past[t.ID] = true
	}
	for {
		waiting, changed, err := look.once(ctx)
		if err != nil || waiting == "" {
			return err
		}
		if changed {
			deadline.Reset(r.Target.Rollout.HealthyDeadline)
		}
		select {
		case <-happened:
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("no progress for %s: %s", r.Target.Rollout.HealthyDeadline, waiting)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stackLook is what is known of services that are being replaced.
type stackLook struct {
	*run
	images map[string]string    // by service
	past   map[string]bool      // by task: it was there before
	shown  map[string]string    // by service: what was told last
	up     map[string]time.Time // by service: since when all of its tasks run
}

// once looks at all services; waiting says what is missing still, changed that it is something else than
// the last time. A manager that can't tell right now, such as while a new leader is elected, is asked again.
func (l *stackLook) once(ctx context.Context) (waiting string, changed bool, err error) {
	services, err := l.Engine.StackServices(ctx, l.stack.Name)
	if err == nil {
		var tasks []docker.Task
		if tasks, err = l.Engine.Tasks(ctx, l.stack.Name); err == nil {
			return l.all(ctx, services, tasks)
		}
	}
	return "the manager can't tell: " + err.Error(), false, ctx.Err()
}

func (l *stackLook) all(ctx context.Context, services []docker.StackService, tasks []docker.Task) (waiting string, changed bool, err error) {
	for _, name := range slices.Sorted(maps.Keys(l.images)) {
		s := inStack(services, name)
		if s == nil {
			return "", false, fmt.Errorf("%s: somebody removed it from the swarm", name)
		}
		state, err := l.service(ctx, *s, slices.DeleteFunc(slices.Clone(tasks), func(t docker.Task) bool { return t.Service != s.ID }))
		if err != nil {
			return "", false, err
		}
		if state != l.shown[name] && state != "" {
			l.tell(Event{Step: promotion.RollStep, Service: name, Status: Progress, Text: state})
			l.shown[name], changed = state, true
		}
		if state != "" {
			waiting = name + ": " + state
		}
	}
	return waiting, changed, nil
}

// service says what is missing until a service runs from its image, or why it won't.
func (l *stackLook) service(ctx context.Context, s docker.StackService, tasks []docker.Task) (waiting string, err error) {
	places, others, failed := map[string]bool{}, 0, (*docker.Task)(nil)
	for _, t := range tasks {
		switch on := sameImage(t.Image, l.images[s.Name]); {
		case t.Wanted && t.State == "running" && on:
			places[t.Name] = true // a swarm that lost a node may have two in one
		case t.Wanted: // to be stopped, or to be started
			others++
		case on && failed == nil && !l.past[t.ID] && (t.State == "failed" || t.State == "rejected"):
			failed = &t
		}
	}
	running := len(places)
	arrived := running >= s.Wanted && others == 0
	if arrived && l.since(s.Name) > s.Monitor+time.Second && s.Update == "updating" {
		s.Update = "completed" // it waits for word of an old task, from a node that is gone
	}
	switch {
	case s.Update == "updating", s.Update == "rollback_started":
		return fmt.Sprintf("%d of %d tasks are new%s", running, s.Wanted, underway(tasks, l.images[s.Name])), nil
	case !sameImage(s.Image, l.images[s.Name]):
		return "", l.gaveUp(ctx, s, failed, "the swarm rolled it back")
	case s.Update == "paused", s.Update == "rollback_paused":
		return "", l.gaveUp(ctx, s, failed, "the swarm stopped replacing it")
	case !arrived && failed != nil:
		return "", l.gaveUp(ctx, s, failed, "its task failed")
	case !arrived:
		return fmt.Sprintf("%d of %d tasks run%s", running, s.Wanted, underway(tasks, l.images[s.Name])), nil
	}
	return l.stays(ctx, s, tasks)
}

// underway is what takes long about the newest task that does not run yet.
func underway(tasks []docker.Task, image string) string {
	for _, t := range tasks {
		if !t.Wanted || !sameImage(t.Image, image) {
			continue
		}
		switch t.State {
		case "preparing":
			return ", one gets its image"
		case "starting":
			return ", one is waiting to be healthy"
		}
	}
	return ""
}

// stays watches a service without a health check for a while, as the swarm itself does with an update.
func (l *stackLook) stays(ctx context.Context, s docker.StackService, tasks []docker.Task) (waiting string, err error) {
	if s.HasProbe || l.healthy(ctx, tasks) {
		return "", nil
	}
	l.unchecked[s.Name] = true
	if s.Update == "completed" {
		return "", nil
	}
	if l.since(s.Name) < l.Target.Rollout.Monitor {
		return fmt.Sprintf("watching for %s, it has no health check", l.Target.Rollout.Monitor), nil
	}
	return "", nil
}

// since is for how long all tasks of a service have been seen to run.
func (l *stackLook) since(name string) time.Duration {
	if _, known := l.up[name]; !known {
		l.up[name] = time.Now()
	}
	return time.Since(l.up[name])
}

// healthy reports whether one of the tasks is a container of this machine that is healthy: the swarm does not
// tell whether an image brings a health check.
func (l *stackLook) healthy(ctx context.Context, tasks []docker.Task) bool {
	for _, t := range tasks {
		if t.State != "running" || t.Container == "" {
			continue
		}
		if c, err := l.Engine.Inspect(ctx, t.Container); err == nil {
			return c.Health == "healthy"
		}
	}
	return false
}

// gaveUp is a service that the swarm has given up, with the last words of the task that failed.
func (l *stackLook) gaveUp(ctx context.Context, s docker.StackService, t *docker.Task, what string) error {
	failure := &containerError{Service: s.Name, Reason: what}
	if s.Message != "" {
		failure.Reason += " (" + s.Message + ")"
	}
	if t == nil {
		return failure
	}
	if t.Error != "" {
		failure.Reason += ": " + t.Error
	}
	asking, stop := context.WithTimeout(ctx, 5*time.Second) // its node may be the one that is gone
	defer stop()
	failure.Logs, _ = l.Engine.TaskLogs(asking, t.ID, "15")
	return failure
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
	for _, m := range slices.Backward(r.Plan.Moves) {
		for _, roll := range slices.Backward(m.Rolls) {
			failures = append(failures, r.undoFiles(ctx, roll))
		}
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

func (r *run) rolls() []promotion.Roll {
	var list []promotion.Roll
	for _, m := range r.Plan.Moves {
		list = append(list, m.Rolls...)
	}
	return list
}

// pullable makes sure that the nodes will find the images. What they ran before they may have still: going
// back needs no registry.
func (r *run) pullable(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range r.Plan.Moves {
		group.Go(func() error {
			_, err := r.Engine.Published(ctx, imageOf(m, m.Rolls[0]), r.Credentials[m.Image])
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
	return r.recordEnd()
}

// stackState is State for a stack: its services' tasks are the containers.
func (m *Machine) stackState(ctx context.Context) (promotion.State, error) {
	s := promotion.State{Environment: m.Target.Environment, Project: m.Target.Name, Now: m.Now().UTC()}
	project, err := m.load(ctx)
	if err != nil {
		return s, err
	}
	services, err := m.Engine.StackServices(ctx, s.Project)
	if err != nil {
		return s, err
	}
	tasks, err := m.Engine.Tasks(ctx, s.Project)
	if err != nil {
		return s, err
	}
	if err := m.remember(&s); err != nil {
		return s, err
	}
	written := byName(project)
	for name, facts := range written {
		if one := inStack(services, name); one != nil && one.PerNode {
			facts.Replicas = one.Wanted
			written[name] = facts
		}
	}
	for _, service := range m.Target.Services {
		s.Services = append(s.Services, m.service(service, written, func(name string) []promotion.Container {
			return taskStates(s.Project, inStack(services, name), tasks, written[name].Pin.Digest != "")
		}))
	}
	return s, m.recall(&s)
}

// taskStates describes the tasks that a service is to have, newest first as they are given. A task keeps its
// place when its container is replaced, so the place is what it is known by; while one is replaced by the
// next, the one that runs counts. The image has its digest only where the file's has.
func taskStates(stack string, s *docker.StackService, tasks []docker.Task, digest bool) []promotion.Container {
	found := map[string]promotion.Container{}
	for _, t := range tasks {
		if s == nil || t.Service != s.ID || !t.Wanted {
			continue
		}
		c := promotion.Container{ID: s.ID + "." + t.Name, Name: stack + "_" + s.Name + "." + t.Name, Image: t.Image, State: t.State, ExitCode: t.ExitCode}
		if c.State == "complete" {
			c.State = "exited"
		}
		image, sum, _ := strings.Cut(t.Image, "@")
		if c.Digest = sum; !digest {
			c.Image = image
		}
		if other, taken := found[t.Name]; !taken || other.State != "running" && c.State == "running" {
			found[t.Name] = c
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b promotion.Container) int { return strings.Compare(a.Name, b.Name) })
}
