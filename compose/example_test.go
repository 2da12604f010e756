package compose_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"promote/compose"
)

// shop is a folder with these files, path → content.
func shop(files map[string]string) (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			panic(err)
		}
	}
	return dir, func() { os.RemoveAll(dir) }
}

func Example() {
	dir, remove := shop(map[string]string{"compose.yaml": "services:\n  core:\n    image: aegee/core:v1.4.2   # pinned\n"})
	defer remove()

	project, err := compose.Load(context.Background(), compose.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	core := project.Services()[0]
	fmt.Println(core.Name, core.Pin, "in line", core.Place.Line)

	edit, err := project.Edit(compose.Change{Service: "core", From: core.Pin, To: compose.Pin{Tag: "v1.5.0"}})
	if err != nil {
		panic(err)
	}
	if err := edit.Apply(); err != nil {
		panic(err)
	}
	after, err := os.ReadFile(project.Files()[0])
	if err != nil {
		panic(err)
	}
	fmt.Print(string(after))
	// Output:
	// core v1.4.2 in line 3
	// services:
	//   core:
	//     image: aegee/core:v1.5.0   # pinned
}

func ExampleLoad() {
	dir, remove := shop(map[string]string{
		"compose.yaml": "services:\n  core: {image: 'aegee/core:${CORE}'}\n  web: {image: 'aegee/web:${WEB:-v3}'}\n",
		".env":         "# versions\nCORE=v1.4.2\n",
	})
	defer remove()

	project, err := compose.Load(context.Background(), compose.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	for _, s := range project.Services() {
		fmt.Printf("%s is at %s: %s, %s:%d:%d\n", s.Name, s.Pin, s.Place.In, filepath.Base(s.Place.File), s.Place.Line, s.Place.Column)
	}
	// Output:
	// core is at v1.4.2: variable CORE, .env:2:6
	// web is at v3: default of WEB, compose.yaml:3:34
}

func ExampleProject_Edit() {
	dir, remove := shop(map[string]string{
		"compose.yaml": "services:\n  core: {image: 'aegee/core:${TAG}'}\n  worker: {image: 'aegee/worker:${TAG}'}\n",
		".env":         "TAG=v1.4.2\n",
	})
	defer remove()
	project, err := compose.Load(context.Background(), compose.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	core := compose.Change{Service: "core", From: compose.Pin{Tag: "v1.4.2"}, To: compose.Pin{Tag: "v1.5.0"}}
	worker := compose.Change{Service: "worker", From: core.From, To: core.To}

	_, err = project.Edit(core)
	var refused *compose.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
		fmt.Println(refused.Hint())
	}

	edit, err := project.Edit(core, worker)
	if err != nil {
		panic(err)
	}
	fmt.Print(string(edit.Files()[0].After))
	// Output:
	// this place also decides the version of worker
	// change them together, or give each an image: of its own
	// TAG=v1.5.0
}

func ExampleSplitReference() {
	repository, pin, err := compose.SplitReference("registry.example.org:5000/aegee/core:v1.4.2")
	fmt.Println(repository, pin, err)
	// Output: registry.example.org:5000/aegee/core v1.4.2 <nil>
}

func ExamplePin_Join() {
	pin := compose.Pin{Tag: "v1.4.2"}
	fmt.Println(pin.Join("aegee/core"))
	fmt.Println(compose.Pin{}.Join("aegee/core"), "has no tag")
	// Output:
	// aegee/core:v1.4.2
	// aegee/core has no tag
}
