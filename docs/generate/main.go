// Command generate writes the generated part of the documentation into the current folder.
package main

import (
	"fmt"
	"os"

	"promote/internal/cli"
	"promote/internal/config"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate() error {
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"reference.md":        cli.Reference(),
		"configuration.md":    config.Reference(),
		"promote.schema.json": string(schema),
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
