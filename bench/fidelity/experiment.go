package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"promote/compose"
)

// kind is what an edit takes a version to.
type kind string

const (
	toTag       kind = "tag"
	toTagDigest kind = "tag and digest"
	toDigest    kind = "digest"
	allAtOnce   kind = "all services"
)

// pin is one that no file has, and no two places of a project get.
func (k kind) pin(place int) compose.Pin {
	tag, digest := fmt.Sprintf("v9.8.%d-fidelity", place), fmt.Sprintf("sha256:fede%060x", place)
	switch k {
	case toDigest:
		return compose.Pin{Digest: digest}
	case toTagDigest:
		return compose.Pin{Tag: tag, Digest: digest}
	}
	return compose.Pin{Tag: tag}
}

// kindsOf are the edits to try of a service: a digest that stands alone stays alone.
func kindsOf(s compose.Service) []kind {
	if s.Pin.Digest != "" && s.Pin.Tag == "" {
		return []kind{toDigest}
	}
	return []kind{toTag, toTagDigest}
}

// outcome is what became of an edit.
type outcome struct {
	service string
	kind    kind
	edits   int    // one for each service of the place
	refused string // why package compose did not make it
	wrong   error  // what is wrong with what it made
}

// attempt is what became of a trial.
type attempt struct {
	trial
	unloadable string // why there is nothing to edit
	other      bool   // it does not say what the file says as it is, so it was not tried
	outcomes   []outcome
}

// experiment is a trial being made.
type experiment struct {
	*tree
	site
	trial   trial
	before  *view
	project *compose.Project
	each    bool              // judge the project, and the way back, after each edit
	swaps   map[string][]swap // by file: what edits of one place each put where
	moved   []compose.Change  // those edits
}

// try makes all edits of a trial. Plain are the files as they are, of which others are other forms.
func (t *tree) try(ctx context.Context, tr trial, plain map[string]*view) (attempt, error) {
	a := attempt{trial: tr}
	if err := t.put(tr.overlay); err != nil {
		return a, err
	}
	x := &experiment{tree: t, site: t.site(tr), trial: tr}
	var failed error
	x.before, failed = look(ctx, x.site, plain[tr.formOf])
	var err error
	x.project, err = compose.Load(ctx, x.options())
	switch {
	case err != nil || failed != nil:
		a.unloadable = t.unloadable(err, failed)
	case tr.variant == asItIs:
		plain[tr.name] = x.before
	case tr.formOf != "":
		a.other = plain[tr.formOf] == nil || !maps.Equal(plain[tr.formOf].images, x.before.images)
	}
	if a.unloadable == "" && !a.other {
		a.outcomes = x.all(ctx)
	}
	return a, t.restore(tr.overlay)
}

// all makes every edit, and then those of all places at once. Of another form than the file has, that is
// where the project is judged.
func (x *experiment) all(ctx context.Context) []outcome {
	x.each = x.trial.formOf == ""
	list := x.singles(ctx)
	places := 0
	for _, swaps := range x.swaps {
		places += len(swaps)
	}
	if places == 0 || x.each && places == 1 {
		return list
	}
	o := outcome{service: "all", kind: allAtOnce, edits: 1}
	if o.refused, o.wrong = x.together(ctx); !x.each && (o.refused != "" || o.wrong != nil) {
		x.each = true
		list = x.singles(ctx)
	}
	return append(list, o)
}

// singles makes the edits of one place each.
func (x *experiment) singles(ctx context.Context) []outcome {
	x.swaps, x.moved = map[string][]swap{}, nil
	var list []outcome
	for place, s := range x.project.Services() {
		kinds := kindsOf(s)
		for i, k := range kinds {
			o := outcome{service: s.Name, kind: k, edits: 1}
			switch {
			case s.Refusal != "":
				_, o.refused, _ = strings.Cut(s.Refusal, "service "+s.Name+": ")
			case s.Name != s.Place.Services[0]:
				continue // made with the first of those that share the place
			default:
				o.edits = len(s.Place.Services)
				o.refused, o.wrong = x.one(ctx, s, k.pin(place), place%len(kinds) == i)
			}
			list = append(list, o)
		}
	}
	return list
}

// one takes a service, with those that share its place, to another version and back.
func (x *experiment) one(ctx context.Context, s compose.Service, to compose.Pin, keep bool) (refused string, wrong error) {
	var changes []compose.Change
	for _, name := range s.Place.Services {
		changes = append(changes, compose.Change{Service: name, From: s.Pin, To: to})
	}
	project, err := x.projectFor(ctx, s, to)
	if err != nil {
		return "", err
	}
	edit, err := project.Edit(changes...)
	if err != nil {
		return sorted(err)
	}
	if len(edit.Files()) != 1 {
		return "", fmt.Errorf("the edit of one place changes %d files", len(edit.Files()))
	}
	file := edit.Files()[0]
	found, err := checkFile(file, planOf(changes), slices.Equal(x.before.files, []string{file.Path}))
	if err != nil {
		return "", err
	}
	if keep {
		x.swaps[file.Path] = append(x.swaps[file.Path], found)
		x.moved = append(x.moved, changes...)
	}
	if !x.each {
		return "", nil
	}
	return "", x.thereAndBack(ctx, edit.Files(), planOf(changes))
}

// projectFor is the project to make an edit with: in turn the one that is loaded already, and one loaded
// with only the services that matter.
func (x *experiment) projectFor(ctx context.Context, s compose.Service, to compose.Pin) (*compose.Project, error) {
	if strings.HasPrefix(x.trial.variant, onOneLine) || x.each && to.Digest == "" {
		return x.project, nil
	}
	project, err := compose.Load(ctx, x.options(s.Place.Services...))
	if err != nil {
		return nil, fmt.Errorf("with these services only: %w", err)
	}
	return project, nil
}

// sorted tells refusals from other errors, which an edit must not end in.
func sorted(err error) (refused string, wrong error) {
	if refusal := (*compose.Error)(nil); errors.As(err, &refusal) {
		return refusal.Reason, nil
	}
	return "", fmt.Errorf("not a refusal: %w", err)
}

// together takes all services at once where single edits took them. The files must then hold what those
// put there.
func (x *experiment) together(ctx context.Context) (refused string, wrong error) {
	edit, err := x.project.Edit(x.moved...)
	if err != nil {
		return sorted(err)
	}
	if len(edit.Files()) != len(x.swaps) {
		return "", fmt.Errorf("%d files change, not %d", len(edit.Files()), len(x.swaps))
	}
	for _, f := range edit.Files() {
		if !bytes.Equal(f.After, swapAll(f.Before, x.swaps[f.Path])) {
			return "", fmt.Errorf("%s does not hold what the single edits put there", f.Path)
		}
	}
	return "", x.thereAndBack(ctx, edit.Files(), planOf(x.moved))
}

func swapAll(data []byte, swaps []swap) []byte {
	slices.SortFunc(swaps, func(a, b swap) int { return b.at - a.at })
	for _, s := range swaps {
		data = slices.Concat(data[:s.at], []byte(s.text), data[s.end:])
	}
	return data
}

// thereAndBack writes the files of an edit, looks at the project, and lets package compose go back.
func (x *experiment) thereAndBack(ctx context.Context, files []compose.FileEdit, p plan) error {
	for _, f := range files {
		if now, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(now, f.Before) {
			return errors.Join(err, fmt.Errorf("%s is not what was to be edited", f.Path))
		}
	}
	defer func() {
		for _, f := range files {
			_ = os.WriteFile(f.Path, f.Before, 0o644) // else the next edit finds it
		}
	}()
	for _, f := range files {
		if err := os.WriteFile(f.Path, f.After, 0o644); err != nil {
			return err
		}
	}
	after, err := lookOnce(ctx, x.site, x.before.lax)
	if err != nil {
		return fmt.Errorf("after the edit: %w", err)
	}
	if err := checkProject(x.before, after, p); err != nil {
		return err
	}
	return x.back(ctx, files, p)
}

// back undoes an edit by its inverse, on a project that is loaded again.
func (x *experiment) back(ctx context.Context, files []compose.FileEdit, p plan) error {
	project, err := compose.Load(ctx, x.options(slices.Sorted(maps.Keys(p))...))
	if err != nil {
		return fmt.Errorf("after the edit: %w", err)
	}
	var changes []compose.Change
	for _, name := range slices.Sorted(maps.Keys(p)) {
		changes = append(changes, p[name].Inverse())
	}
	undo, err := project.Edit(changes...)
	if err != nil {
		return fmt.Errorf("no way back: %w", err)
	}
	if len(undo.Files()) != len(files) {
		return fmt.Errorf("going back changes %d files, not %d", len(undo.Files()), len(files))
	}
	for i, f := range undo.Files() {
		if f.Path != files[i].Path || !bytes.Equal(f.After, files[i].Before) {
			return errors.New("going back does not give the original bytes")
		}
	}
	return nil
}
