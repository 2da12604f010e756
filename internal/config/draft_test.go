package config

import (
	"bytes"
	"reflect"
	"testing"
)

var usualDraft = Draft{
	Services:     []DraftService{{Name: "core", Image: "aegee/core", VersionFile: "package.json", Build: ".", Path: ".", Runs: []string{"core"}}},
	Environments: []DraftEnvironment{{Name: "staging", Project: "."}, {Name: "prod", From: "staging"}},
}

var largeDraft = Draft{
	Services: []DraftService{
		{Name: "core", Image: "registry.example.org:5000/aegee/core", VersionFile: "core/package.json", Build: "core", Path: "core", Runs: []string{"core", "core-worker"}},
		{Name: "123", Image: "1.10", VersionFile: "a: b", Build: "it's #1", Path: "-", Runs: []string{"true", "null"}},
		{Name: "git", Image: "aegee/git", VersionFile: "git"},
	},
	Environments: []DraftEnvironment{
		{Name: "yes", Host: "ssh://deploy@staging.example.org", Project: "/srv/$X/${Y}", Compose: []string{"a,b.yml", "[c].yml", "é \"d\".yml", "~", "e:"}},
		{Name: "prod", From: "yes", Host: "ssh://a", Project: "C:\\srv"},
	},
}

func TestWriteIsShort(t *testing.T) {
	got := Write(usualDraft)
	golden(t, "testdata/draft.golden", string(got))
	if n := bytes.Count(got, []byte("\n")); n > 10 {
		t.Errorf("%d lines", n)
	}
	if _, err := Parse("promote.yaml", got, variables()); err != nil {
		t.Error(err)
	}
}

func TestWriteIsReadBack(t *testing.T) {
	golden(t, "testdata/draft-large.golden", string(Write(largeDraft)))
	c, err := parse("promote.yaml", Write(largeDraft), variables())
	if err != nil {
		t.Fatal(err)
	}
	var got Draft
	for _, s := range c.Services {
		d := DraftService{Name: s.Name, Image: s.Image, VersionFile: "git", Path: s.Path, Runs: s.Runs}
		if !s.Version.Git {
			d.VersionFile = s.Version.Files[0].Path
		}
		if s.Build != nil {
			d.Build = s.Build.Context
		}
		got.Services = append(got.Services, d)
	}
	for _, e := range c.Environments {
		got.Environments = append(got.Environments, DraftEnvironment{Name: e.Name, From: e.From, Host: e.Hosts[0], Project: e.Project, Compose: e.Compose})
	}
	want := largeDraft
	want.Services[2].Path, want.Services[2].Runs = ".", []string{"git"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
