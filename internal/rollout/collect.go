package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/registry"
)

// folders is how many deployments of an environment keep their plan, events and files.
const folders = 20

// Collection is what tidying an environment's machine removed, or would, and what it keeps.
type Collection struct {
	Removed []promotion.Fate `json:"removed"`
	Kept    []promotion.Fate `json:"kept"`
	Folders []string         `json:"folders"`         // deployments whose folder goes
	Freed   *int64           `json:"freed,omitempty"` // bytes of images, as the engine counts them; nil: nothing was removed, or it can't tell
	Failed  []string         `json:"failed,omitempty"`
}

// Nothing reports whether there is nothing to remove.
func (c Collection) Nothing() bool { return len(c.Removed)+len(c.Folders)+len(c.Failed) == 0 }

// Collect removes the images of the environment's services that neither a container nor a rollback needs,
// and the folders of old deployments. The rule is [promotion.Holdings.Judge]'s. The caller holds the lock,
// unless it is a trial: that changes nothing.
func (m *Machine) Collect(ctx context.Context, trial bool) (Collection, error) {
	c := Collection{Removed: []promotion.Fate{}, Kept: []promotion.Fate{}, Folders: []string{}}
	old, err := m.oldFolders()
	if err != nil {
		return c, err
	}
	c.Folders = append(c.Folders, old...)
	if m.Engine == nil || m.Target.Engine == promotion.EngineSwarm { // whose images lie on all of its nodes
		return c, m.sweepFolders(&c, trial)
	}
	images, err := m.Engine.Images(ctx)
	if err != nil {
		return c, err
	}
	fates, err := m.judge(ctx, images)
	if err != nil {
		return c, err
	}
	for _, f := range fates {
		if f.Why == "" {
			c.Removed = append(c.Removed, f)
		} else {
			c.Kept = append(c.Kept, f)
		}
	}
	if !trial {
		err = m.sweepImages(ctx, &c, images)
	}
	return c, errors.Join(err, m.sweepFolders(&c, trial))
}

// oldFolders are the deployments whose folder may go.
func (m *Machine) oldFolders() ([]string, error) {
	old, err := m.journal().Old(folders)
	if err != nil {
		return nil, err
	}
	entries, err := m.History.Entries() // which may lie in commits
	pending := journal.Pending(entries)
	return slices.DeleteFunc(old, func(id string) bool { return pending[id] || m.keeps(id) }), err
}

func (m *Machine) sweepFolders(c *Collection, trial bool) error {
	if trial {
		return nil
	}
	var failures []error
	for _, id := range c.Folders {
		failures = append(failures, m.journal().Deployment(id).Remove())
	}
	return errors.Join(failures...)
}

// sweepImages removes what may go. One that can't be removed, since somebody uses it by now, is told of.
func (m *Machine) sweepImages(ctx context.Context, c *Collection, images []docker.Image) error {
	if len(c.Removed) == 0 {
		return nil
	}
	before, errBefore := m.Engine.ImageSpace(ctx)
	c.Removed = slices.DeleteFunc(c.Removed, func(f promotion.Fate) bool {
		i := slices.IndexFunc(images, func(i docker.Image) bool { return i.ID == f.ID })
		err := m.Engine.RemoveImage(ctx, images[i])
		if err != nil {
			c.Failed = append(c.Failed, err.Error())
		}
		return err != nil
	})
	after, errAfter := m.Engine.ImageSpace(ctx)
	if errBefore == nil && errAfter == nil { // an engine that is asked by two at once may answer only one
		freed := max(0, before-after) // somebody may pull meanwhile
		c.Freed = &freed
	}
	return ctx.Err()
}

// judge says of each image of the environment's services whether it may go. The histories are read last: a
// deployment elsewhere that has begun by then is in them.
func (m *Machine) judge(ctx context.Context, images []docker.Image) ([]promotion.Fate, error) {
	state, err := m.State(ctx)
	if err != nil {
		return nil, err
	}
	users, err := m.Engine.Users(ctx)
	if err != nil {
		return nil, err
	}
	containers, err := m.Engine.Containers(ctx, "")
	if err != nil {
		return nil, err
	}
	var h promotion.Holdings
	for i, s := range state.Services {
		if h.Repositories = append(h.Repositories, repositories(s)...); len(s.Parts) > 0 {
			h.Kept = append(h.Kept, promotion.Kept{Release: s.Present(m.Target.Services[i].Tag), Why: "current in " + m.Target.Environment})
		}
	}
	own, err := m.journal().Entries()
	if err != nil {
		return nil, err
	}
	h.Known = known(own)
	h.Kept = append(h.Kept, m.kept(own)...)
	m.consult(&h, containers, images)
	return h.Judge(listed(images, users)), nil
}

// listed are images with their users: what has the name that a container was made from stays too.
func listed(images []docker.Image, users map[string]string) []promotion.Image {
	var list []promotion.Image
	for _, i := range images {
		one := promotion.Image{ID: i.ID, Names: slices.Concat(i.Tags, i.Digests), Size: i.Size, User: users[i.ID]}
		for _, name := range i.Tags {
			one.User = cmp.Or(one.User, users[name])
		}
		list = append(list, one)
	}
	return list
}

// repositories are the service's, if its compose files say the same: a client alone can't name one.
func repositories(s promotion.ServiceState) []string {
	for _, p := range s.Parts {
		if p.Compose.Repository != "" && compose.SameRepository(p.Compose.Repository, s.Image) {
			return []string{s.Image}
		}
	}
	return nil
}

// known are the releases that a history mentions.
func known(entries []journal.Entry) []registry.Release {
	var list []registry.Release
	for _, e := range entries {
		for _, move := range e.Moves {
			list = append(list, move.From, move.To)
		}
		for _, mark := range e.Marks {
			list = append(list, mark.Release)
		}
	}
	return list
}

// kept are the releases that the environments of one project directory keep.
func (m *Machine) kept(entries []journal.Entry) []promotion.Kept {
	pending := journal.Pending(entries)
	type key struct{ environment, service string }
	marks := map[key][]promotion.Mark{}
	var list []promotion.Kept
	for _, e := range entries {
		for _, mark := range journal.Marks([]journal.Entry{e}) {
			k := key{e.Environment, mark.Service}
			marks[k] = append(marks[k], fromJournal(mark))
		}
		for _, move := range e.Moves {
			if pending[e.ID] {
				why := e.ID + " has not ended"
				list = append(list, promotion.Kept{Release: move.From, Why: why}, promotion.Kept{Release: move.To, Why: why})
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(marks), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.environment, b.environment), cmp.Compare(a.service, b.service))
	})
	for _, k := range keys {
		for _, one := range promotion.Keep(marks[k], m.Now()) {
			list = append(list, promotion.Kept{Release: one.Release, Why: one.Why + " in " + k.environment})
		}
	}
	return list
}

// consult adds what the other projects of the machine keep: those whose containers the engine has. Where a
// history can't be read, nothing may go of the repositories that its containers are from.
func (m *Machine) consult(h *promotion.Holdings, containers []docker.Container, images []docker.Image) {
	read := map[string]error{m.Target.Project: nil}
	for _, c := range containers {
		for _, dir := range places(c) {
			err, done := read[dir]
			if !done {
				var entries []journal.Entry
				entries, err = elsewhere(dir)
				h.Kept = append(h.Kept, m.kept(entries)...)
				read[dir] = err
			}
			if err == nil {
				continue
			}
			why := fmt.Sprintf("the history of %s could not be read: %v", c.Project, err)
			for _, image := range origins(c, images) {
				h.Doubts = append(h.Doubts, promotion.Doubt{Image: image, Why: why})
			}
		}
	}
}

// places are the folders in which the project of a container may have its history: that of the project or of
// one of its files, or one above.
func places(c docker.Container) []string {
	var dirs []string
	for _, dir := range append([]string{c.Dir}, parents(c.Files)...) {
		for filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
			dir = filepath.Dir(dir)
		}
	}
	return dirs
}

func parents(files []string) []string {
	var dirs []string
	for _, file := range files {
		dirs = append(dirs, filepath.Dir(file))
	}
	return dirs
}

// elsewhere reads the history of another project. Most folders have none.
func elsewhere(dir string) ([]journal.Entry, error) {
	_, err := os.Stat(filepath.Join(dir, journal.Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return journal.Open(dir).Entries()
}

// origins are the names of the image that a container was made from.
func origins(c docker.Container, images []docker.Image) []string {
	names := []string{c.Image}
	for _, i := range images {
		if i.ID == c.ImageID {
			names = append(names, slices.Concat(i.Tags, i.Digests)...)
		}
	}
	return names
}
