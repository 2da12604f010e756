package compose

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// standIn gives the loader the new content of files that are extended. It reads those from disk only,
// where the new content is not yet.
type standIn struct {
	dir       string            // of the project
	temporary string            // folder of the copies, outside the project
	files     map[string]string // path → its copy
}

// standIn writes the copies for those contents that are of extended files.
func (p *Project) standIn(contents map[string][]byte) (standIn, error) {
	s := standIn{dir: p.dir, files: map[string]string{}}
	for path, data := range contents {
		if !p.extended[path] {
			continue
		}
		if s.temporary == "" {
			folder, err := os.MkdirTemp("", "promote-")
			if err != nil {
				return s, err
			}
			s.temporary = folder
		}
		s.files[path] = filepath.Join(s.temporary, fmt.Sprintf("%d.yaml", len(s.files)))
		if err := os.WriteFile(s.files[path], data, 0o600); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Accept implements compose-go's ResourceLoader.
func (s standIn) Accept(path string) bool { return s.files[join(s.dir, path)] != "" }

// Load implements compose-go's ResourceLoader.
func (s standIn) Load(_ context.Context, path string) (string, error) {
	return s.files[join(s.dir, path)], nil
}

// Dir implements compose-go's ResourceLoader: paths in the file begin where the file itself lies.
func (s standIn) Dir(path string) string {
	dir := filepath.Dir(join(s.dir, path))
	if relative, err := filepath.Rel(s.dir, dir); err == nil {
		return relative
	}
	return dir
}
