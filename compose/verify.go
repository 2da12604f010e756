package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// verify makes sure that the edit does what was planned and nothing else: in the trees of the files,
// in what compose makes of them, and in what containers are given.
func (p *Project) verify(e *Edit, splices map[placeKey]splice) error {
	contents := map[string][]byte{}
	for _, f := range e.files {
		contents[f.Path] = f.After
	}
	if err := p.verifyTrees(contents, splices); err != nil {
		return err
	}
	after, err := p.load(context.Background(), contents)
	if err != nil {
		return fmt.Errorf("after the change: %w", err)
	}
	direct := maps.Clone(e.planned)
	byGroup := map[*group][]Change{}
	for name, c := range e.planned {
		if found := p.located[name]; found.node != nil && found.group.kind == ofInclude {
			delete(direct, name)
			byGroup[found.group] = append(byGroup[found.group], c)
		}
	}
	for g, changes := range byGroup {
		if err := p.verifyIncluded(g, changes, contents, after.Environment); err != nil {
			return err
		}
	}
	if err := p.verifyModel(after, direct); err != nil {
		return err
	}
	return p.verifyContainers(after, e.planned, splices)
}

// verifyTrees parses every changed compose file again: only the planned scalars may differ.
func (p *Project) verifyTrees(contents map[string][]byte, splices map[placeKey]splice) error {
	byNode := map[*yaml.Node]splice{}
	for _, s := range splices {
		if s.node != nil {
			byNode[s.node] = s
		}
	}
	for _, s := range slices.Concat(p.group.sources, slices.Collect(maps.Values(p.opened))) {
		data, changed := contents[s.path]
		if !changed {
			continue
		}
		after, err := p.parse(s.path, data)
		if err != nil {
			return err
		}
		if n := differ(s.root, after.root, byNode); n != nil {
			return s.refuse("", n, "the change would alter something else here", "change it by hand, and please report the file")
		}
	}
	return nil
}

// differ finds the first node in which two trees differ, but for what was planned.
func differ(a, b *yaml.Node, planned map[*yaml.Node]splice) *yaml.Node {
	value := a.Value
	if s, ok := planned[a]; ok {
		value = value[:s.offset] + s.to + value[s.offset+s.at.end-s.at.start:]
	}
	if a.Kind != b.Kind || a.Style != b.Style || a.Tag != b.Tag || a.Anchor != b.Anchor || value != b.Value || len(a.Content) != len(b.Content) ||
		a.HeadComment != b.HeadComment || a.LineComment != b.LineComment || a.FootComment != b.FootComment {
		return a
	}
	for i := range a.Content {
		if found := differ(a.Content[i], b.Content[i], planned); found != nil {
			return found
		}
	}
	return nil
}

// verifyModel compares the project as compose loads it before and after: the planned images, and
// nothing else, may differ.
func (p *Project) verifyModel(after *types.Project, planned map[string]Change) error {
	if !p.sameFiles(after.Environment) {
		return p.sideEffect(planned, "docker compose would read other files")
	}
	before, now := all(p.model), all(after)
	if !slices.Equal(names(p.model), names(after)) || !sameRest(p.model, after) {
		return p.sideEffect(planned, "more of the project than its services would change")
	}
	for _, name := range names(p.model) {
		was, is := before[name], now[name]
		image := was.Image
		if c, ok := planned[name]; ok {
			repository, _, err := SplitReference(image)
			if err != nil {
				return p.located[name].refuse(name, err.Error(), "docker compose config")
			}
			image = c.To.Join(repository)
		}
		if is.Image != image {
			return p.sideEffect(planned, fmt.Sprintf("the image of service %s would become %s", name, is.Image))
		}
		// Extensions (x-…) mean nothing to compose, and an anchored image often stands in one.
		is.Image, is.Extensions = was.Image, was.Extensions
		if !reflect.DeepEqual(was, is) {
			return p.sideEffect(planned, fmt.Sprintf("more of service %s than its image would change", name))
		}
	}
	return nil
}

// sameFiles reports whether compose would still read the files that the project was loaded from:
// COMPOSE_FILE may use a version's variable, and an override or an .env may have come up meanwhile.
func (p *Project) sameFiles(environment types.Mapping) bool {
	files, err := p.standardFiles(environment)
	return err == nil && slices.Equal(files, p.Files()) && slices.Equal(p.standardEnvFiles(), p.EnvFiles())
}

// sameRest compares what is not services.
func sameRest(before, after *types.Project) bool {
	a, b := *before, *after
	for _, m := range []*types.Project{&a, &b} {
		m.Services, m.DisabledServices, m.Environment, m.Extensions = nil, nil, nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// sideEffect refuses at the place of the first planned change.
func (p *Project) sideEffect(planned map[string]Change, reason string) error {
	advice := "give the version a place of its own: a literal tag, or a variable that nothing else uses"
	for _, name := range slices.Sorted(maps.Keys(planned)) {
		found := p.located[name]
		if found.in != "image" || len(planned) == 1 {
			return found.refuse(name, "with it, "+reason, advice)
		}
	}
	return &Error{File: p.dir, Reason: "with the change, " + reason, Advice: advice}
}

// verifyIncluded compares what an include entry's files give before and after. The loader reads them
// from disk only, so the whole project can't be loaded before they are written; Apply does that.
func (p *Project) verifyIncluded(g *group, changes []Change, contents map[string][]byte, environment types.Mapping) error {
	var paths []string
	for _, f := range g.envFiles {
		paths = append(paths, f.path)
	}
	own, err := dotenv.GetEnvFromFile(environment, paths)
	if err != nil {
		return err
	}
	environment = environment.Clone().Merge(own)
	before, err := p.services(g, environment, nil)
	if err != nil {
		return err
	}
	after, err := p.services(g, environment, contents)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := plan(before, c); err != nil {
			return err
		}
	}
	if !reflect.DeepEqual(before, after) {
		return p.located[changes[0].Service].refuse(changes[0].Service, "with it, more of the included files would change", "give the service an image: of its own in the compose file")
	}
	return nil
}

// services is a group's model without extensions, as compose loads it.
func (p *Project) services(g *group, environment types.Mapping, contents map[string][]byte) (map[string]any, error) {
	files, err := p.details(g, environment, contents)
	if err != nil {
		return nil, err
	}
	model, err := loader.LoadModelWithContext(context.Background(), files, p.loaderOptions(environment), func(o *loader.Options) {
		o.SkipNormalization = true
	})
	maps.DeleteFunc(model, func(key string, _ any) bool { return strings.HasPrefix(key, "x-") })
	return model, err
}

// plan makes a change in a loaded model. The service may be missing there: it then takes its image
// from another one of the place, by extends.
func plan(model map[string]any, c Change) error {
	services, _ := model["services"].(map[string]any)
	service, _ := services[c.Service].(map[string]any)
	image, ok := service["image"].(string)
	if !ok {
		return nil
	}
	repository, _, err := SplitReference(image)
	service["image"] = c.To.Join(repository)
	return err
}

// verifyContainers looks for what the loaded project does not show: containers outside the plan that
// are given the changed variable, by its name alone or through their env_file. Those of the plan are
// replaced anyhow, and get it as they do when it is edited by hand.
func (p *Project) verifyContainers(after *types.Project, planned map[string]Change, splices map[placeKey]splice) error {
	changed := map[string]bool{}
	for name, value := range after.Environment {
		changed[name] = p.model.Environment[name] != value
	}
	services := all(p.model)
	for _, s := range splices {
		if s.node != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(services)) {
			if _, moves := planned[name]; moves {
				continue
			}
			if reason := gives(services[name], s.path, changed); reason != "" {
				return s.refuse(name, reason, "put the version's variable into an env file of its own that no service reads")
			}
		}
	}
	return nil
}

// gives says how a service's containers are given a changed variable.
func gives(c types.ServiceConfig, edited string, changed map[string]bool) string {
	specs := []types.ContainerSpec{c.ContainerSpec}
	for _, hook := range c.PreStart {
		specs = append(specs, hook.ContainerSpec)
	}
	for _, spec := range specs {
		for name, value := range spec.Environment {
			if value == nil && changed[name] {
				return name + " is also in its environment"
			}
		}
		for _, f := range spec.EnvFiles {
			if reason := reads(f, edited, changed); reason != "" {
				return reason
			}
		}
		if slices.ContainsFunc(spec.LabelFiles, func(path string) bool { return sameFile(path, edited) }) {
			return "this file is also its label_file"
		}
	}
	return ""
}

// reads says how an env_file depends on a changed variable.
func reads(f types.EnvFile, edited string, changed map[string]bool) string {
	if sameFile(f.Path, edited) {
		return "this file is also its env_file, so its environment would change too"
	}
	data, err := os.ReadFile(f.Path)
	if os.IsNotExist(err) || f.Format == "raw" {
		return ""
	}
	if err != nil {
		return "its env_file can't be read: " + err.Error()
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if changed[name] && mentions(data, name) {
			return "its env_file " + f.Path + " uses " + name
		}
	}
	return ""
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// confirm loads the project from disk after the edit was written: only then is it known that no other
// file was changed meanwhile and that nothing shadows the new version.
func (e *Edit) confirm() error {
	if len(e.files) == 0 {
		return nil
	}
	p := e.project
	contents := map[string][]byte{}
	for _, path := range slices.Concat(p.Files(), p.EnvFiles()) {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		contents[path] = data
	}
	after, err := p.load(context.Background(), contents)
	if err != nil {
		return err
	}
	return p.verifyModel(after, e.planned)
}
