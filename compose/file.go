package compose

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"promote/compose/atomicfile"
)

// Apply writes the edit, and loads the project once more to confirm it. Each file is there whole, old or
// new, at any moment; when a later one can't be written, or the project then is not what was planned,
// all are put back. A file that changed since it was read is refused with [ErrStale].
func (e *Edit) Apply() error {
	forward := func(f FileEdit) (expected, data []byte) { return f.Before, f.After }
	if err := writeAll(e.files, forward); err != nil {
		return err
	}
	if err := e.confirm(); err != nil {
		return errors.Join(fmt.Errorf("put back: %w", err), putBack(e.files, forward))
	}
	return nil
}

// Revert writes back what Apply replaced.
func (e *Edit) Revert() error {
	return writeAll(e.files, func(f FileEdit) (expected, data []byte) { return f.After, f.Before })
}

func writeAll(files []FileEdit, what func(FileEdit) (expected, data []byte)) error {
	for i, f := range files {
		expected, data := what(f)
		if err := replace(f.Path, expected, data); err != nil {
			return errors.Join(err, putBack(files[:i], what))
		}
	}
	return nil
}

func putBack(files []FileEdit, what func(FileEdit) (expected, data []byte)) error {
	var failures []error
	for _, f := range files {
		expected, data := what(f)
		failures = append(failures, replace(f.Path, data, expected))
	}
	return errors.Join(failures...)
}

// replace gives a file new content, if it still has the content that is expected.
func replace(path string, expected, data []byte) error {
	if now, err := os.ReadFile(path); err != nil {
		return err
	} else if !bytes.Equal(now, expected) {
		return fmt.Errorf("%s: %w", path, ErrStale)
	}
	return atomicfile.Write(path, data)
}
