package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Record is what was cut for an advisory. It is kept inside of .git until the disclosure, so that it can't be pushed.
type Record struct {
	Fault Fault  `json:"fault"`
	Plan  *Plan  `json:"plan"`
	Cuts  []Cut  `json:"cuts"`
	Dir   string `json:"-"` // Where its files are
}

// Cut is one release that was cut.
type Cut struct {
	Version Version `json:"version"`
	Module  string  `json:"module"` // The module path
	Branch  string  `json:"branch"` // Which held the fix
	Head    string  `json:"head"`   // The branch's commit
	Commit  string  `json:"commit"` // What is tagged: one commit after Head, with the retractions and the changelog
	Message string  `json:"message"`
}

// The files of a record.
const (
	recordFile    = "record.json"
	announcedFile = "announced"
)

// notesFile is the file with the release notes of a version.
func notesFile(v Version) string { return "notes-" + v.String() + ".md" }

// osvFile is the file with the draft of the OSV record.
func osvFile(id string) string { return id + ".json" }

// readRecord reads the record in a folder; the error is [ErrNoRecord] if there is none.
func readRecord(dir string) (*Record, error) {
	data, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoRecord
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	r := &Record{Dir: dir}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read record in %s: %w", dir, err)
	}
	return r, nil
}

// write puts the record's files down, the record itself last: where it is, the others are.
func (r *Record) write(files map[string]string) error {
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(r.Dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
	}
	data, err := encodeJSON(r)
	if err == nil {
		err = writeFile(filepath.Join(r.Dir, recordFile), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// writeFile replaces a file as a whole: it is there in full or as it was, whenever the process ends.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // It is gone if all went well.
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
