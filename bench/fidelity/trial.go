package main

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// trial is a project to make edits in.
type trial struct {
	variant string
	name    string   // for the report
	dir     string   // project directory, in the repository
	files   []string // in dir; empty: what docker compose finds there
	environ []string
	overlay map[string][]byte // instead of the repository's files, or beside them
	formOf  string            // name of the trial with the file as it is
}

// trials are all ways to try a repository: each file in each form, and the projects that they are.
func trials(r repository) []trial {
	var list []trial
	folders := map[string][]string{}
	for _, file := range r.composeFiles() {
		list = append(list, fileTrials(r, file)...)
		folders[path.Dir(file)] = append(folders[path.Dir(file)], path.Base(file))
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		list = append(list, projectTrials(r, dir, folders[dir])...)
	}
	return list
}

// fileTrials are those of one file.
func fileTrials(r repository, file string) []trial {
	data := r.files[file]
	name := r.name + "/" + file
	plain := trial{name: name, dir: path.Dir(file), files: []string{path.Base(file)}}
	var list []trial
	for _, f := range forms {
		written, ok := f.write(data)
		if !ok {
			continue
		}
		t := plain
		t.variant, t.overlay = f.name, map[string][]byte{file: written}
		if f.name != asItIs {
			t.formOf = name
		}
		list = append(list, t)
	}
	if env, ok := envFor(data); ok {
		t, at := plain, path.Join(plain.dir, ".env")
		t.variant, t.overlay = "with .env", map[string][]byte{at: joined(r.files[at], env)}
		list = append(list, t)
	}
	if override, ok := overrideFor(data); ok {
		const beside = "override.fidelity.yaml"
		t := plain
		t.variant, t.files = "with an override", append(t.files, beside)
		t.overlay = map[string][]byte{path.Join(plain.dir, beside): override}
		list = append(list, t)
	}
	return list
}

// projectTrials are those of a folder with several files: as docker compose finds it, the main file with
// each of the others, and all at once.
func projectTrials(r repository, dir string, files []string) []trial {
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(standing(a), standing(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	env, hasEnv := r.files[path.Join(dir, ".env")]
	name := r.name + "/" + dir
	var list []trial
	if standing(files[0]) < len(standard) && (len(files) > 1 || hasEnv) {
		list = append(list, trial{variant: "project as found", name: name, dir: dir})
	}
	for _, other := range files[1:] {
		chosen := files[0] + ":" + other
		list = append(list, trial{
			variant: "COMPOSE_FILE in .env", name: name + ": " + chosen, dir: dir,
			overlay: map[string][]byte{path.Join(dir, ".env"): joined(env, "COMPOSE_FILE="+chosen+"\n")},
		})
	}
	if len(files) > 2 {
		chosen := strings.Join(files, ":")
		list = append(list, trial{
			variant: "COMPOSE_FILE, all files", name: name + ": " + chosen, dir: dir,
			environ: []string{"COMPOSE_FILE=" + chosen},
		})
	}
	return list
}

// standard are the names that docker compose looks for, in this order, then with an override.
var standard = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

func standing(name string) int {
	if i := slices.Index(standard, name); i >= 0 {
		return i
	}
	return len(standard)
}

func joined(data []byte, more string) []byte {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		more = "\n" + more
	}
	return append(slices.Clone(data), more...)
}

// variable is one in a compose file, with its default. $$ is none.
var variable = regexp.MustCompile(`\$\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^{}$]*)|:?[?+][^{}]*)?\})`)

// variables calls yield with those of a text, and with what stands before and after them.
func variables(text string, yield func(name, standard, before, after string)) {
	for _, at := range variable.FindAllStringIndex(text, -1) {
		m := variable.FindStringSubmatch(text[at[0]:at[1]])
		if name := m[1] + m[2]; name != "" {
			yield(name, m[3], text[:at[0]], text[at[1]:])
		}
	}
}

// envFor is an env file that gives every variable of the images a value that fits where it stands, and
// the others one that does in most places.
func envFor(data []byte) (string, bool) {
	values := map[string]string{}
	for _, image := range imagesOf(data) {
		variables(image, func(name, standard, before, after string) {
			values[name] = cmp.Or(values[name], standard, fitting(before, after))
		})
	}
	variables(string(data), func(name, standard, _, _ string) {
		values[name] = cmp.Or(values[name], standard, "1")
	})
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&lines, "%s=%s\n", name, values[name])
	}
	return lines.String(), len(values) > 0
}

// fitting is a value for a variable between two parts of an image.
func fitting(before, after string) string {
	switch {
	case strings.HasSuffix(before, ":"):
		return "1.2.3"
	case before == "" && after == "":
		return "example.org/app:1.2.3"
	case strings.HasSuffix(before, "/") && after == "":
		return "app:1.2.3"
	case before == "":
		return "example.org"
	}
	return "part"
}

// overrideFor is a file that gives every second service another image, and the rest a label.
func overrideFor(data []byte) ([]byte, bool) {
	var file strings.Builder
	file.WriteString("services:\n")
	list := imagesOf(data)
	for i, name := range slices.Sorted(maps.Keys(list)) {
		if i%2 == 0 {
			fmt.Fprintf(&file, "  %q:\n    image: 'example.org/over/app%d:v0' # over\n", name, i)
		} else {
			fmt.Fprintf(&file, "  %q: {labels: {over: \"%s\"}}\n", name, accents)
		}
	}
	return []byte(file.String()), len(list) > 0
}

// imagesOf are the images of a file's services as they are written.
func imagesOf(data []byte) map[string]string {
	var file struct {
		Services map[string]struct{ Image string }
	}
	if yaml.Unmarshal(data, &file) != nil {
		return nil
	}
	list := map[string]string{}
	for name, service := range file.Services {
		if service.Image != "" {
			list[name] = service.Image
		}
	}
	return list
}
