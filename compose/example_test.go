package compose_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"promote/compose"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "compose.yaml")
	text := "services:\n  core:\n    image: aegee/core:v1.4.2   # pinned\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		panic(err)
	}

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
	after, err := os.ReadFile(file)
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
