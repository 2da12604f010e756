package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"promote/compose/atomicfile"

	"golang.org/x/sys/unix"
)

// Folder is where an environment's journal lies in its project directory.
const Folder = ".promote"

// Journal is the history of the environment in one project directory.
type Journal struct {
	dir         string
	environment string
}

// Open names the journal of a project directory. Nothing is read or made.
func Open(project string) *Journal { return &Journal{dir: filepath.Join(project, Folder)} }

// Of is the journal as one of several environments in the project directory sees it: with its own entries
// only. The lock is one for all, since the files are.
func (j *Journal) Of(environment string) *Journal { return &Journal{j.dir, environment} }

// Entries reads the history, oldest first. An environment without one has none.
func (j *Journal) Entries() ([]Entry, error) {
	data, err := os.ReadFile(j.history())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for number := 1; len(data) > 0; number++ {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		data = rest
		if !whole || len(bytes.TrimSpace(line)) == 0 {
			continue // torn by a crash in the middle of the write: it was never promised
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			if torn(line) {
				continue
			}
			return nil, fmt.Errorf("%s:%d: %w", j.history(), number, err)
		}
		if e.Schema > Schema {
			return nil, &NewerError{File: fmt.Sprintf("%s:%d", j.history(), number), Schema: e.Schema}
		}
		if j.environment == "" || e.Environment == j.environment {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// Schema is the version of what is written here. It is raised when an older promote would misjudge an environment
// by what a newer one wrote.
const Schema = 1

// NewerError is a file that a newer promote wrote, in words that this one may misunderstand.
type NewerError struct {
	File   string
	Schema int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("%s was written by a newer promote (schema %d, this one knows %d)", e.File, e.Schema, Schema)
}

// Hint is what to do.
func (e *NewerError) Hint() string { return "install that promote here, too" }

// torn tells a line that a crash cut short and the next append closed from one that somebody broke: as
// far as it goes it is JSON, also where it was cut behind the brace of a nested object. Zeroes are what some
// file systems leave of a write whose data did not reach the disk; nobody types them.
func torn(line []byte) bool {
	if bytes.IndexByte(line, 0) >= 0 {
		return true
	}
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(line)).Decode(&value), io.ErrUnexpectedEOF)
}

// Append writes an entry and returns when it is on disk.
func (j *Journal) Append(e Entry) (err error) {
	if err := j.make(); err != nil {
		return err
	}
	e.Environment = j.environment
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := j.open(j.history(), os.O_APPEND)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if cut, err := endsTorn(f); err != nil {
		return err
	} else if cut {
		line = append([]byte("\n"), line...)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return errors.Join(f.Sync(), syncFolder(j.dir)) // the file may be new
}

// endsTorn reports whether the last line of the file has no end.
func endsTorn(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil && err != io.EOF {
		return false, err
	}
	return last[0] != '\n', nil
}

// make creates the folder, ignored by git since the project directory is often a checkout.
func (j *Journal) make() error {
	sharing := j.sharing()
	if err := os.Mkdir(j.dir, 0o700|sharing); err == nil {
		if err := errors.Join(os.Chmod(j.dir, 0o700|sharing), j.giveToOwner(j.dir)); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	ignore := filepath.Join(j.dir, ".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	return errors.Join(os.WriteFile(ignore, []byte("*\n"), 0o600|sharing&0o060), j.giveToOwner(ignore))
}

// sharing is what the group may do here: all, where it may change the project, and nothing otherwise. Whoever may
// open the lock can hold it, and what failed commands say is in the history: neither is for everybody on a host.
func (j *Journal) sharing() fs.FileMode {
	info, err := os.Stat(filepath.Dir(j.dir))
	if err != nil || info.Mode()&0o020 == 0 {
		return 0
	}
	return 0o070
}

// open opens a file of the journal for reading and writing, and makes it if it is not there.
func (j *Journal) open(path string, more int) (*os.File, error) {
	mode := 0o600 | j.sharing()&0o060
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|more, mode)
	if err == nil {
		return f, errors.Join(f.Chmod(mode), j.giveToOwner(path))
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|more, mode)
	if err == nil {
		_ = f.Chmod(mode) // one that an older promote made is everybody's; that of another user stays as it is
	}
	return f, err
}

// giveToOwner lets root leave nothing that the project's owner can't use.
func (j *Journal) giveToOwner(path string) error {
	var project unix.Stat_t
	if os.Geteuid() != 0 || unix.Stat(filepath.Dir(j.dir), &project) != nil {
		return nil
	}
	return os.Lchown(path, int(project.Uid), int(project.Gid))
}

func (j *Journal) history() string { return filepath.Join(j.dir, "history.jsonl") }

// Deployment is the folder of one deployment.
func (j *Journal) Deployment(id string) *Record {
	return &Record{dir: filepath.Join(j.dir, "deployments", id), journal: j}
}

// Record is what a deployment leaves on disk besides its entries.
type Record struct {
	dir     string
	journal *Journal
}

// Make creates the folder; before/ is for the owner alone, since env files may hold secrets.
func (r *Record) Make() error {
	if err := r.journal.make(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(r.dir, "before"), 0o700); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(r.dir), r.dir, filepath.Join(r.dir, "before")} {
		if err := r.journal.giveToOwner(dir); err != nil {
			return err
		}
	}
	return nil
}

// Path is a file of the record.
func (r *Record) Path(name string) string { return filepath.Join(r.dir, name) }

// WriteJSON writes a value as a file of the record, whole and on disk.
func (r *Record) WriteJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(r.Path(name), append(data, '\n'))
}

// ReadJSON reads a file of the record.
func (r *Record) ReadJSON(name string, v any) error {
	f, err := os.Open(r.Path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	return json.NewDecoder(bufio.NewReader(f)).Decode(v)
}

// Keep puts a file as it is now into before/, so that it can be had back whatever happens. The first
// copy counts: a later one would keep what the deployment itself wrote.
func (r *Record) Keep(name string, data []byte) error {
	path := filepath.Join(r.dir, "before", name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return atomicfile.Write(path, data)
}

// syncFolder brings the names in a folder to disk; syncing a file brings only what is in it.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
