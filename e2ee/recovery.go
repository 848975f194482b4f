//go:build goolm

package e2ee

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"maunium.net/go/mautrix/crypto/utils"
)

const maxRecoveryFile = 4096 // Bytes

// givenRecoveryKey is the recovery key that was given, or that the file holds; empty where there is none.
func (g *engine) givenRecoveryKey(ctx context.Context) (string, error) {
	for _, get := range g.settings.recovery {
		key, err := get(ctx)
		if err != nil {
			return "", fmt.Errorf("get the recovery key: %w", err)
		}
		if key = strings.TrimSpace(key); key != "" {
			return key, nil
		}
	}
	if g.settings.keyFile == "" {
		return "", nil
	}
	return readRecoveryFile(g.settings.keyFile)
}

func readRecoveryFile(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the recovery key: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxRecoveryFile:
		return "", fmt.Errorf("%s is not the file of a recovery key", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the recovery key: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if utils.DecodeBase58RecoveryKey(key) == nil {
		return "", fmt.Errorf("%s does not hold a recovery key", path)
	}
	return key, nil
}

// handOver gives the recovery key to its owner: into the file, and to the callback.
func (g *engine) handOver(ctx context.Context, key string) error {
	if g.settings.keyFile != "" {
		if err := writeRecoveryFile(g.settings.keyFile, key); err != nil {
			return fmt.Errorf("write the recovery key: %w", err)
		}
	}
	if g.settings.onRecoveryKey != nil {
		if err := g.settings.onRecoveryKey(ctx, key); err != nil {
			return fmt.Errorf("hand over the recovery key: %w", err)
		}
	}
	return nil
}

// writeRecoveryFile has the file hold the key, or leaves it as it was. A key that it held before is kept beside it: it
// may be the only copy of one that still unlocks something.
func writeRecoveryFile(path, key string) error {
	old, err := readRecoveryFile(path)
	if err != nil {
		return err
	}
	if old == key {
		return nil
	}
	if old != "" {
		if err := os.Rename(path, path+".old"); err != nil {
			return err
		}
	}
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, filepath.Base(path)+".new*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already where all went well
	_, err = file.WriteString(key + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder has the names in the folder survive a crash of the machine, where the system can do that.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}
