package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/town"
	"github.com/niobot/niobot/bench/victim"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == victim.Role {
		os.Exit(victim.Main())
	}
	os.Exit(m.Run())
}

// testLimit is far above what a step takes.
const testLimit = time.Minute

// trouble is what niobot logs where a store can't be written for now.
const trouble = "store can't be written; what is to be stored is kept and tried again"

// disk is a place for a store that can be made full.
type disk struct {
	folder string
	fill   func(p *victim.Process) error
	free   func(p *victim.Process) error
	want   string // What the log says of it

	outlives bool // Whether it is full for the next process too
}

// smallDisk is a file system in memory.
func smallDisk(t *testing.T) disk {
	t.Helper()
	folder := t.TempDir()
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	ballast := filepath.Join(folder, "ballast")
	return disk{
		folder: folder,
		fill: func(*victim.Process) error {
			file, err := os.Create(ballast)
			if err != nil {
				return err
			}
			for page := make([]byte, 4096); err == nil; {
				_, err = file.Write(page)
			}
			if !errors.Is(err, syscall.ENOSPC) {
				return err
			}
			return file.Close()
		},
		free: func(*victim.Process) error { return os.Remove(ballast) },
		want: "has no room left", outlives: true,
	}
}

// limitedFiles lets the bot's process write only files of a certain size.
func limitedFiles(t *testing.T) disk {
	t.Helper()
	program, err := exec.LookPath("prlimit")
	if err != nil {
		t.Skip("there is no prlimit:", err)
	}
	limit := func(size string) func(*victim.Process) error {
		return func(p *victim.Process) error {
			return exec.Command(program, "--pid", strconv.Itoa(p.PID()), "--fsize="+size+":").Run()
		}
	}
	return disk{folder: t.TempDir(), fill: limit("4096"), free: limit("unlimited"), want: "disk I/O error"}
}

// journal is a bot's log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// heard waits until the bot has logged a message.
func heard(t *testing.T, p *victim.Process, message string) {
	t.Helper()
	limit := time.After(testLimit)
	for {
		times, more := p.Said(message)
		if times > 0 {
			return
		}
		select {
		case <-more:
		case <-p.Gone():
			t.Fatalf("the bot ended: %v", p.Err())
		case <-limit:
			t.Fatalf("the bot did not log %q", message)
		}
	}
}

func ready(t *testing.T, p *victim.Process) {
	t.Helper()
	select {
	case <-p.Ready():
	case <-p.Gone():
		t.Fatalf("the bot ended: %v", p.Err())
	case <-time.After(testLimit):
		t.Fatal("the bot was not ready in time")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask says commands that are answered at once.
func ask(t *testing.T, here *town.Town, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		must(t, here.Say(here.Rooms[n%len(here.Rooms)], fmt.Sprintf("!echo %d", n),
			[]ledger.Answer{{Body: fmt.Sprintf("echo %d", n)}}))
	}
}

func settled(t *testing.T, here *town.Town) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	must(t, here.Ledger.Settle(ctx))
}

func TestFullDiskLosesNothing(t *testing.T) {
	for name, make := range map[string]func(*testing.T) disk{"small disk": smallDisk, "limited files": limitedFiles} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %t", name, killed), func(t *testing.T) { fillAndFree(t, make(t), killed) })
		}
	}
}

func fillAndFree(t *testing.T, d disk, killed bool) {
	here, err := town.New(4, 2, 1, fakehs.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, here.Close()) })
	here.Listen()
	program, err := os.Executable()
	must(t, err)
	bot := here.Resident(program, victim.Place{Kind: victim.SQLite, At: filepath.Join(d.folder, "bot.db")})
	logs := new(journal)
	p, err := bot.Start(io.MultiWriter(logs, t.Output()))
	must(t, err)
	defer func() { p.Kill() }()
	ready(t, p)
	ask(t, here, 0, 20)
	settled(t, here)

	must(t, d.fill(p))
	ask(t, here, 20, 60)
	heard(t, p, trouble)
	if text := logs.String(); !strings.Contains(text, d.want) {
		t.Errorf("no line of the log says that the store %s", d.want)
	}
	if killed {
		p.Kill()
		p, err = bot.Start(io.MultiWriter(logs, t.Output()))
		must(t, err)
		if d.outlives {
			heard(t, p, trouble)
		}
	}
	if !killed || d.outlives {
		must(t, d.free(p))
	}
	ready(t, p)
	ask(t, here, 60, 80)
	settled(t, here)
	must(t, p.Stop())
	if v := here.Ledger.Verdict(); !v.Sound() || v.Asked != 80 {
		t.Errorf("got %+v", v)
	}
}
