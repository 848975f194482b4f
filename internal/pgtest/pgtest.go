// Package pgtest gives tests a PostgreSQL server: the one that the variable NIOBOT_TEST_POSTGRES names, or else one of
// their own, which lives in a temporary folder and ends with the process.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Variable names a server to use, as a URL. Tests make schemas in its database, and drop them.
const Variable = "NIOBOT_TEST_POSTGRES"

// ErrNone means that there is no server, nor the programs to start one. Tests that need one are skipped, with this.
var ErrNone = errors.New("no PostgreSQL: set " + Variable + " to a server's URL, or install one (Debian: postgresql)")

// startTimeout is how long a server may take to answer.
const startTimeout = 60 * time.Second

// user owns the databases of a server that was started here.
const user = "niobot"

// keeper runs the server, and ends it when its own input ends, which it does with the process that started it, however
// that ends. $1 is the folder, $2 the program.
const keeper = `dir=$1; shift
"$@" & server=$!
cat >/dev/null
kill -QUIT $server; wait $server
rm -rf "$dir"`

// Start gives the URL of a server, and what stops it. A server that Variable names is left as it is. The error wraps
// [ErrNone] where there is none to be had.
func Start() (address string, stop func(), err error) {
	if address := os.Getenv(Variable); address != "" {
		return address, func() {}, nil
	}
	bin, err := programs()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "niobot-pg-")
	if err != nil {
		return "", nil, err
	}
	stop = func() { _ = os.RemoveAll(dir) } // It is temporary anyway
	end, err := start(bin, dir)
	if err != nil {
		stop()
		return "", nil, err
	}
	stop = func() {
		end()
		_ = os.RemoveAll(dir)
	}
	query := url.Values{"host": {dir}, "user": {user}, "sslmode": {"disable"}}
	return "postgres:///postgres?" + query.Encode(), stop, nil
}

// programs is the folder of the newest server's programs.
func programs() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(folders)
	slices.Reverse(folders)
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = slices.Insert(folders, 0, filepath.Dir(path))
		}
	}
	for _, folder := range folders {
		missing := slices.ContainsFunc([]string{"initdb", "postgres", "pg_isready"}, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(folder, name))
			return err != nil
		})
		if !missing {
			return folder, nil
		}
	}
	return "", ErrNone
}

// start makes a cluster in dir and has it served there, on a Unix socket.
func start(bin, dir string) (end func(), err error) {
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"),
		"--pgdata="+data, "--username="+user, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	as(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	logs, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer logs.Close()
	server := exec.Command("/bin/sh", "-c", keeper, "sh", dir,
		filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=100")
	as(server)
	server.Stdout, server.Stderr = logs, logs
	input, err := server.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	end = func() {
		_ = input.Close() // It is a pipe to a program that may have ended
		_ = server.Wait()
	}
	if err := awaitReady(bin, dir); err != nil {
		err = errors.Join(err, tail(logs.Name()))
		end()
		return nil, err
	}
	return end, nil
}

// awaitReady returns when the server answers.
func awaitReady(bin, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ask := exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "--quiet", "--host="+dir)
		if ask.Run() == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server did not answer within %v", startTimeout)
		}
	}
}

// tail is the end of a log, as an error.
func tail(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > 2000 {
		if _, err := file.Seek(-2000, io.SeekEnd); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(file)
	return errors.Join(err, errors.New(strings.TrimSpace(string(text))))
}
