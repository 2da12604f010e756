// Command generate writes the generated part of the documentation into the current folder. With a version
// and a folder as its arguments it writes the manual pages of that release there instead.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"promote/internal/cli"
	"promote/internal/config"
)

func main() {
	write := generate
	if len(os.Args) == 3 {
		write = manual
	}
	if err := write(); err != nil {
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

func manual() error {
	for name, page := range cli.ManPages(os.Args[1]) {
		if err := os.WriteFile(filepath.Join(os.Args[2], name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}
