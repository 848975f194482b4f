package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/niobot/niobot"
)

// What tells a process that it is a child, and what to do.
const (
	taskVariable    = "NIOBOT_STORETEST_TASK"
	addressVariable = "NIOBOT_STORETEST_ADDRESS"

	taskHold   = "hold"   // Claim the store, and hold it until stdin ends
	taskCommit = "commit" // Commit as fast as can be, and say each number that is stored
)

// takeover is how long after the end of a process its claim may last, on a machine that is busy with much else.
const takeover = 30 * time.Second

// window is how many numbers taskCommit keeps.
const window = 20

// Child does what [Run] wants of a second process, which is the test binary once more, and ends the process. In the first
// process it returns at once. Call it at the beginning of TestMain, with what opens a store by [Subject.Address].
func Child(open func(address string) (niobot.Store, error)) {
	task := os.Getenv(taskVariable)
	if task == "" {
		return
	}
	store, err := open(os.Getenv(addressVariable))
	if err == nil {
		err = work(context.Background(), task, store)
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(ctx context.Context, task string, store niobot.Store) error {
	err := store.Claim(ctx, Account)
	if errors.Is(err, niobot.ErrStoreInUse) {
		fmt.Println("in use")
		return nil
	}
	if err != nil {
		return err
	}
	last, err := lastNumber(ctx, store)
	if err != nil {
		return err
	}
	fmt.Println(last)
	if task == taskHold {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		return store.Release()
	}
	for n := last + 1; ; n++ {
		if err := store.Commit(ctx, numbered(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// numbered is a commit whose parts show whether all of it was made. Some are large, to reach over several pages.
func numbered(n int) []niobot.Change {
	text := []byte(strconv.Itoa(n))
	return []niobot.Change{
		niobot.Put("kill", fmt.Sprintf("a/%08d", n), text),
		niobot.Put("kill", fmt.Sprintf("b/%08d", n), pattern(n%7*1500, byte(n))),
		niobot.Delete("kill", fmt.Sprintf("a/%08d", n-window)),
		niobot.DeleteAll("kill", fmt.Sprintf("b/%08d", n-window)),
		niobot.Put("last", "n", text),
	}
}

func lastNumber(ctx context.Context, store niobot.Store) (int, error) {
	value, ok, err := store.Get(ctx, "last", "n")
	if err != nil || !ok {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

// child is a second process.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func startChild(t testing.TB, s Subject, task string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), taskVariable+"="+task, addressVariable+"="+s.Address)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, stdin: in, lines: bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	return c
}

// line is what the child says next; ok is false when it has ended.
func (c *child) line() (text string, ok bool) {
	ok = c.lines.Scan()
	return c.lines.Text(), ok
}

// kill ends the child without giving it time for anything. It may be called twice.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // It may have ended by itself
	for c.lines.Scan() {
	}
	_ = c.cmd.Wait() // It says that it was killed
}

func needChildren(t *testing.T, s Subject) {
	t.Helper()
	if s.Address == "" {
		t.Skip("no other process can open this store")
	}
}

// await claims a store whose holder has just ended.
func await(t testing.TB, store niobot.Store) {
	t.Helper()
	ended := time.Now()
	for {
		err := store.Claim(t.Context(), Account)
		if err == nil {
			return
		}
		if !errors.Is(err, niobot.ErrStoreInUse) || time.Since(ended) > takeover {
			t.Fatalf("Claim %v after the holder has ended: %v", time.Since(ended), err)
		}
	}
}

func testOtherProcess(t *testing.T, s Subject) {
	needChildren(t, s)
	store := s.Open(t)
	holder := startChild(t, s, taskHold)
	if text, _ := holder.line(); text != "0" {
		t.Fatalf("the holder says %q, want 0", text)
	}
	wantError(t, store, "Claim", store.Claim(t.Context(), Account), niobot.ErrStoreInUse)
	holder.kill()
	await(t, store)
	commit(t, store, numbered(1)...)
	late := startChild(t, s, taskHold)
	if text, _ := late.line(); text != "in use" {
		t.Errorf("a second process says %q, want: in use", text)
	}
	late.kill()
	if err := store.Release(); err != nil {
		t.Fatal(err)
	}
	heir := startChild(t, s, taskHold)
	if text, _ := heir.line(); text != "1" {
		t.Errorf("the next process says %q, want 1", text)
	}
	if err := heir.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if text, more := heir.line(); more {
		t.Errorf("it says %q, too", text)
	}
	heir.kill()
	await(t, store)
	if err := store.Release(); err != nil {
		t.Fatal(err)
	}
}

func testKill(t *testing.T, s Subject) {
	needChildren(t, s)
	kills := 30
	if testing.Short() {
		kills = 5
	}
	dice := newChance(t)
	stored := 0
	for round := range kills {
		c := startChild(t, s, taskCommit)
		acknowledged := -1
		read := func() bool {
			text, ok := c.line()
			if !ok {
				return false
			}
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("round %d: the child says %q", round, text)
			}
			acknowledged = n
			return true
		}
		for range 1 + dice.IntN(200) {
			if !read() {
				t.Fatalf("round %d: the child ended at %d", round, acknowledged)
			}
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for read() {
		}
		c.kill()
		if s.Check != nil {
			s.Check(t)
		}
		store := s.Open(t)
		await(t, store)
		last, err := lastNumber(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		if last < acknowledged || last > acknowledged+1 || last < stored {
			t.Fatalf("round %d: %d was acknowledged, %d is stored, and %d before", round, acknowledged, last, stored)
		}
		stored = last
		checkNumbers(t, store, last)
		if err := store.Release(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d commits over %d kills", stored, kills)
}

// checkNumbers holds the store to what all commits up to the last leave, and no part of another.
func checkNumbers(t *testing.T, store niobot.Store, last int) {
	t.Helper()
	var a, b []string
	for n := max(1, last-window+1); n <= last; n++ {
		a = append(a, fmt.Sprintf("a/%08d=%d", n, n))
		b = append(b, fmt.Sprintf("b/%08d=%s", n, pattern(n%7*1500, byte(n))))
	}
	wantScan(t, store, "kill", "a/", a...)
	wantScan(t, store, "kill", "b/", b...)
	if t.Failed() {
		t.FailNow()
	}
}
