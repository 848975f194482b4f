package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Checksums gives a line for each file, as sha256sum prints and checks it, in the order of their names. Files of the
// same name are an error: whoever checks has them in one folder.
func Checksums(files []string) (string, error) {
	sums := make(map[string]string)
	var names []string
	for _, path := range files {
		name := filepath.Base(path)
		if sums[name] != "" {
			return "", fmt.Errorf("two files are called %s", name)
		}
		sum, err := checksum(path)
		if err != nil {
			return "", err
		}
		sums[name] = sum
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%s  %s\n", sums[name], name)
	}
	return b.String(), nil
}

// checksum is the SHA-256 of a file in hexadecimal.
func checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
