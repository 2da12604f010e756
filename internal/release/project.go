// Package release takes services from commits to published releases: which version comes next, its files,
// changelog and commit, its image, its tags in git and in the registry.
//
// OpenProject begins. LinkedServices of a project are bumped together: NextBump says what would become of
// them, Releases are what is written, committed and published. ExternalImage is the way for images that
// something else built.
//
// Whatever was begun can be begun again: every step looks first at what is there. Nothing is overwritten,
// and the number is claimed in git before an image gets its name, so of two people who take the same number
// one goes on and the other leaves nothing behind.
package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"promote/internal/config"
	"promote/internal/docker"
	"promote/internal/git"
	"promote/internal/notes"
	"promote/registry"
	"promote/semver"
)

// Progress shows what happens while releases are made.
type Progress interface {
	// Say tells something that is worth knowing, on one line.
	Say(format string, args ...any)
	// ShowBuild shows how an image is built.
	ShowBuild() (docker.Display, error)
	// ShowPush shows how far the layers of an image were pushed, until done is called.
	ShowPush(image string) (update func(docker.Progress), done func())
}

// Tools are what releases are made with.
type Tools struct {
	Registry *registry.Client
	// Engine connects to the engine that builds here; whoever calls it closes it.
	Engine   func(context.Context) (*docker.Engine, error)
	Progress Progress
}

// Project is what promote.yaml says of services, and the repository that it lies in.
type Project struct {
	Config   *config.Config
	tools    Tools
	repo     *git.Repo // nil before it was opened
	tags     gitTags
	services map[*config.Service]*Service // those that were asked for
}

// NewProject is a project whose repository nobody needs yet.
func NewProject(cfg *config.Config, tools Tools) *Project {
	return &Project{Config: cfg, tools: tools, services: map[*config.Service]*Service{}}
}

// OpenProject is a project with its repository. Where there is none, the error is git.ErrNotRepository.
func OpenProject(ctx context.Context, cfg *config.Config, tools Tools) (*Project, error) {
	p := NewProject(cfg, tools)
	return p, p.openRepository(ctx)
}

func (p *Project) openRepository(ctx context.Context) (err error) {
	if p.repo, err = git.Open(ctx, p.Config.Dir); err == nil {
		p.tags = readTagsOnce(ctx, p.repo)
	}
	return err
}

// Service is one of the project's services. It is the same one each time, so that its history is read once.
func (p *Project) Service(configured *config.Service) *Service {
	s := p.services[configured]
	if s == nil {
		s = &Service{Service: configured, project: p}
		p.services[configured] = s
	}
	return s
}

// Linked are the named services, each with those that are linked to it, and no service twice.
func (p *Project) Linked(services []*config.Service) []LinkedServices {
	var list []LinkedServices
	seen := map[*config.Service]bool{}
	for _, s := range services {
		var linked LinkedServices
		for _, member := range p.Config.LinkedTo(s) {
			if !seen[member] {
				seen[member] = true
				linked = append(linked, p.Service(member))
			}
		}
		if len(linked) > 0 {
			list = append(list, linked)
		}
	}
	return list
}

// RequireCleanTree refuses a tree with changes: what is built must be what the commit says.
func (p *Project) RequireCleanTree(ctx context.Context) error {
	dirty, err := p.repo.Dirty(ctx)
	if err != nil || len(dirty) == 0 {
		return err
	}
	const shown = 5
	list := strings.Join(dirty[:min(shown, len(dirty))], ", ")
	if len(dirty) > shown {
		list += fmt.Sprintf(" and %d more", len(dirty)-shown)
	}
	return &fixableError{text: "the working tree has changes: " + list, hint: "git stash --include-untracked, or git commit"}
}

// pushedBranch is the branch that a release pushes; empty where there is no remote, or no branch.
func (p *Project) pushedBranch(ctx context.Context) (string, error) {
	url, err := p.repo.RemoteURL(ctx)
	if err != nil || url == "" {
		return "", err
	}
	return p.repo.Branch(ctx)
}

// requirePush makes sure that the branch can be pushed.
func (p *Project) requirePush(ctx context.Context) error {
	branch, err := p.pushedBranch(ctx)
	if err != nil || branch == "" {
		return err
	}
	return p.repo.CanPush(ctx, branch)
}

// findForge is where the repository has its pages.
func (p *Project) findForge(ctx context.Context) (notes.Forge, error) {
	page, err := p.repo.SourceURL(ctx)
	return notes.ForgeOf(page), err
}

// FindUnfinished are the releases of the bump at HEAD, if one of the services asked for is among them and one
// of them was not published: the bump was interrupted then.
func (p *Project) FindUnfinished(ctx context.Context, asked []LinkedServices) (Releases, error) {
	versions, err := bumpAtHead(ctx, p.repo)
	bumped := func(s *Service) bool { return !versions[s.Name].IsZero() }
	if err != nil || !slices.ContainsFunc(slices.Concat(asked...), bumped) {
		return nil, err
	}
	var list Releases
	unfinished := false
	for _, configured := range p.Config.Services {
		s := p.Service(configured)
		if !bumped(s) {
			continue
		}
		r, err := s.NewRelease(semver.Version{}, versions[s.Name])
		if err != nil {
			return nil, err
		}
		done, err := r.isPublished(ctx)
		if err != nil {
			return nil, err
		}
		unfinished = unfinished || !done
		list = append(list, r)
	}
	if !unfinished {
		return nil, nil
	}
	return list, nil
}
