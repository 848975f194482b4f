// Package migration reads the numbered steps by which the schema of a store came to be.
//
// A step is a file of SQL, named by its number and what it does, such as 0001_records.sql. A released step is never
// changed, and new ones are added at the end; the tests of a store hold it to that.
package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Step takes a schema from the version before to its own.
type Step struct {
	Version int
	Name    string // The file's, without its number and ending
	SQL     string
}

// Digest is the SHA-256 of the step's text, in hexadecimal.
func (s Step) Digest() string {
	sum := sha256.Sum256([]byte(s.SQL))
	return hex.EncodeToString(sum[:])
}

// Load reads the steps in a folder, in their order. The first is 1, and none may be left out.
func Load(files fs.FS, dir string) ([]Step, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, len(entries))
	for _, entry := range entries { // By name, hence by number
		number, name, ok := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if !ok || err != nil || len(number) != 4 {
			return nil, fmt.Errorf("migration %s: its name is not like 0001_name.sql", entry.Name())
		}
		if version != len(steps)+1 {
			return nil, fmt.Errorf("migration %s: step %d was to come here", entry.Name(), len(steps)+1)
		}
		text, err := fs.ReadFile(files, path.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		steps = append(steps, Step{Version: version, Name: name, SQL: string(text)})
	}
	return steps, nil
}

// MustLoad is [Load] for embedded files, whose faults are the programmer's: it panics on an error.
func MustLoad(files fs.FS, dir string) []Step {
	steps, err := Load(files, dir)
	if err != nil {
		panic("niobot: " + err.Error())
	}
	return steps
}
