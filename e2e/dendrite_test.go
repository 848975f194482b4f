//go:build e2e

package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"
)

// How much of Dendrite's log a failed test shows, in bytes from its end.
const logTail = 32 << 10

//go:embed testdata/dendrite.yaml.tmpl
var dendriteConfig string

// dendrite is Dendrite in a process of its own, on a loopback port, with its data in a temporary folder.
type dendrite struct {
	executable string
	dir        string
	addr       string
	secret     string
	shield     *httptest.Server // what clients talk to

	stop context.CancelFunc // kills the running process
	gone chan struct{}      // closed when it has ended
}

var _ Homeserver = (*dendrite)(nil)

// portTaken is what Dendrite's log ends with where something else listens.
const portTaken = "address already in use"

// dendriteExecutable builds Dendrite through the go command's cache: minutes the first time, a moment afterwards.
var dendriteExecutable = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-modfile=dendrite.mod", "-n", "dendrite")
	// Its SQLite is the same with and without cgo, and without it no C compiler is needed.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return "", fmt.Errorf("build dendrite: %w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("build dendrite: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})

func startDendrite(t testing.TB) Homeserver {
	t.Helper()
	executable, err := dendriteExecutable()
	if err != nil {
		t.Fatal(err)
	}
	hs := &dendrite{executable: executable, dir: t.TempDir(), secret: rand.Text()}
	if err := hs.writeFiles(); err != nil {
		t.Fatalf("write dendrite's files: %v", err)
	}
	t.Cleanup(func() {
		hs.kill()
		if hs.shield != nil {
			hs.shield.Close()
		}
		if t.Failed() {
			t.Logf("end of dendrite's log:\n%s", hs.logEnd())
		}
	})
	// Dendrite can't choose its port, and a free one may be taken before it gets there.
	for range 3 {
		if hs.addr, err = freeAddr(); err != nil {
			break
		}
		if err = hs.start(t); err == nil {
			hs.shield = newShield(hs.addr)
			return hs
		}
		hs.kill()
		if !strings.Contains(hs.logEnd(), portTaken) {
			break
		}
	}
	t.Fatalf("start dendrite: %v", err)
	return nil
}

func (hs *dendrite) Name() string { return "dendrite" }

func (hs *dendrite) URL() string { return hs.shield.URL }

func (hs *dendrite) Register(t testing.TB, localpart string) Account {
	t.Helper()
	return sharedSecretRegister(t, hs.URL(), hs.secret, localpart)
}

func (hs *dendrite) Restart(t testing.TB) {
	t.Helper()
	hs.kill()
	err := hs.start(t)
	// Some connection may have been given the port meanwhile; it does not last.
	for tries := 1; err != nil && tries < 5 && strings.Contains(hs.logEnd(), portTaken); tries++ {
		hs.kill()
		err = hs.start(t)
	}
	if err != nil {
		t.Fatalf("restart dendrite: %v", err)
	}
}

// writeFiles puts the configuration and a fresh signing key into the server's folder.
func (hs *dendrite) writeFiles() error {
	key := filepath.Join(hs.dir, "key.pem")
	block := &pem.Block{
		Type:    "MATRIX PRIVATE KEY",
		Headers: map[string]string{"Key-ID": "ed25519:e2e"},
		Bytes:   make([]byte, ed25519.SeedSize),
	}
	rand.Read(block.Bytes)
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	config, err := template.New("dendrite.yaml").Parse(dendriteConfig)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(hs.configPath(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = config.Execute(file, map[string]string{"Dir": hs.dir, "Key": key, "Secret": hs.secret})
	return errors.Join(err, file.Close())
}

func (hs *dendrite) configPath() string { return filepath.Join(hs.dir, "dendrite.yaml") }

func (hs *dendrite) logPath() string { return filepath.Join(hs.dir, "dendrite.log") }

// start runs the process and returns when it answers. The caller kills it, also after an error.
func (hs *dendrite) start(t testing.TB) error {
	log, err := os.OpenFile(hs.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()

	ctx, cancel := untilDeadline(t)
	cmd := exec.CommandContext(ctx, hs.executable, "--config", hs.configPath(), "--http-bind-address", hs.addr)
	cmd.Dir = hs.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = 5 * time.Second
	inOwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		cancel()
		return err
	}
	gone := make(chan struct{})
	hs.stop, hs.gone = cancel, gone
	go func() {
		defer close(gone)
		_ = cmd.Wait() // killed is how it always ends
	}()
	return waitUntilReady(t.Context(), "http://"+hs.addr, gone)
}

// kill ends the process, as a crash does, and waits for it. Without a process it does nothing.
func (hs *dendrite) kill() {
	if hs.stop == nil {
		return
	}
	hs.stop()
	<-hs.gone
	hs.stop = nil
}

func (hs *dendrite) logEnd() string {
	log, err := os.ReadFile(hs.logPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(log[max(0, len(log)-logTail):])
}

// untilDeadline gives a context that ends with an interrupt, or shortly before the test binary's own deadline. Neither
// runs cleanups, and the process would be left behind.
func untilDeadline(t testing.TB) (context.Context, context.CancelFunc) {
	if test, ok := t.(*testing.T); ok {
		if deadline, ok := test.Deadline(); ok {
			return context.WithDeadline(uninterrupted, deadline.Add(-2*time.Second))
		}
	}
	return context.WithCancel(uninterrupted)
}

// freeAddr finds a loopback address that nothing listens on.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
