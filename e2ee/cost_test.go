//go:build goolm && unix

package e2ee_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/store/sqlite"
)

// What the measurement of the cost is made with. NIOBOT_COST_COMMANDS sets the number of commands.
const (
	costSenders  = 50
	costCommands = 200
	costOpen     = 50   // Commands that wait for their answer at once
	costJudged   = 5000 // Of fewer commands, the figures are noise
	costMost     = 5.0  // What an encrypted command may cost, as a multiple of a plain one
)

const (
	costHomeserver = "NIOBOT_COST_HOMESERVER"
	costToken      = "NIOBOT_COST_TOKEN"
	costStore      = "NIOBOT_COST_STORE"
)

// BenchmarkCommand compares the processor's time of a command that comes encrypted, is read, and is answered encrypted,
// with that of a plain one. The bot, with a store and encryption, is a process of its own, and the same for both; 50
// users speak in one room, and many commands are open at once.
func BenchmarkCommand(b *testing.B) {
	commands := costCommands
	if s := os.Getenv("NIOBOT_COST_COMMANDS"); s != "" {
		var err error
		if commands, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	hs := newServer(b)
	worker := startWorker(b, hs)
	senders := make([]*bot, costSenders)
	for i := range senders {
		senders[i] = newBot(b, hs, fmt.Sprint("sender", i))
	}
	plain, encrypted := costRoom(b, false, worker, senders), costRoom(b, true, worker, senders)
	for _, room := range []id.RoomID{plain, encrypted} {
		converse(b, hs, worker, senders, room, costSenders) // The first commands share the keys.
	}
	for b.Loop() {
		plainTime := converse(b, hs, worker, senders, plain, commands)
		encryptedTime := converse(b, hs, worker, senders, encrypted, commands)
		ratio := float64(encryptedTime) / float64(plainTime)
		b.ReportMetric(float64(plainTime.Microseconds())/float64(commands), "plain-µs/command")
		b.ReportMetric(float64(encryptedTime.Microseconds())/float64(commands), "encrypted-µs/command")
		b.ReportMetric(ratio, "×plain")
		if commands >= costJudged && ratio > costMost {
			b.Errorf("an encrypted command costs %.1f times a plain one, want at most %.0f", ratio, costMost)
		}
	}
}

// costRoom makes a room of the worker and the senders.
func costRoom(b *testing.B, encrypted bool, w *worker, senders []*bot) id.RoomID {
	b.Helper()
	req := &mautrix.ReqCreateRoom{Preset: "public_chat"}
	if encrypted {
		req.InitialState = []*event.Event{{
			Type: event.StateEncryption, Content: event.Content{Parsed: &event.EncryptionEventContent{
				Algorithm: id.AlgorithmMegolmV1, // And a new session after each 100 messages, as is the default.
			}},
		}}
	}
	req.Invite = []id.UserID{w.user}
	created, err := senders[0].client.CreateRoom(deadline(b), req)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range senders[1:] {
		s.join(created.RoomID)
	}
	_, err = w.hs.WaitFor(deadline(b), created.RoomID, func(e *event.Event) bool {
		return e.Type == event.StateMember && e.GetStateKey() == w.user.String() &&
			e.Content.AsMember().Membership == event.MembershipJoin
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range senders {
		s.sync()
	}
	return created.RoomID
}

// converse has the senders say commands in turn until all are answered, and returns the worker's processor time.
func converse(b *testing.B, hs *fakehs.Server, w *worker, senders []*bot, room id.RoomID, commands int) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	typ := event.EventMessage
	if hs.State(room, event.StateEncryption, "") != nil {
		typ = event.EventEncrypted
	}
	before := 0
	for _, e := range hs.Timeline(room) {
		if e.Sender == w.user && e.Type == typ {
			before++
		}
	}
	answers := make(chan struct{}, commands)
	counted := make(chan error, 1)
	go func() {
		seen := 0
		_, err := hs.WaitFor(ctx, room, func(e *event.Event) bool {
			if e.Sender == w.user && e.Type == typ {
				if seen++; seen > before {
					answers <- struct{}{}
				}
			}
			return seen == before+commands
		})
		counted <- err
	}()
	from := w.time()
	for n := range commands {
		if n >= costOpen {
			select {
			case <-answers:
			case <-ctx.Done():
				b.Fatalf("after %d commands no answer comes", n)
			}
		}
		s := senders[n%len(senders)]
		if typ == event.EventEncrypted {
			s.say(room, "!ping")
			continue
		}
		_, err := s.client.SendMessageEvent(ctx, room, typ, map[string]string{"msgtype": "m.text", "body": "!ping"})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := <-counted; err != nil {
		b.Fatalf("not all commands are answered: %v", err)
	}
	return w.time() - from
}

// worker is the bot that is measured.
type worker struct {
	b    *testing.B
	hs   *fakehs.Server
	user id.UserID
	ask  io.Writer
	told *bufio.Scanner
}

// startWorker runs TestCostWorker of this program as a process.
func startWorker(b *testing.B, hs *fakehs.Server) *worker {
	b.Helper()
	user, err := hs.Register("worker", "password")
	if err != nil {
		b.Fatal(err)
	}
	session, err := hs.LogIn(user, "")
	if err != nil {
		b.Fatal(err)
	}
	args := []string{"-test.run=^TestCostWorker$", "-test.count=1"}
	if path := os.Getenv("NIOBOT_COST_PROFILE"); path != "" {
		args = append(args, "-test.cpuprofile="+path)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), costHomeserver+"="+hs.URL(), costToken+"="+session.Token,
		costStore+"="+filepath.Join(b.TempDir(), "worker.db"))
	cmd.Stderr = os.Stderr
	ask, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = ask.Close()
		_, _ = io.Copy(io.Discard, told)
		if err := cmd.Wait(); err != nil {
			b.Errorf("the bot's process: %v", err)
		}
	})
	w := &worker{b: b, hs: hs, user: user, ask: ask, told: bufio.NewScanner(told)}
	w.time()
	return w
}

// time is the processor time that the worker has used.
func (w *worker) time() time.Duration {
	w.b.Helper()
	if _, err := io.WriteString(w.ask, "time\n"); err != nil {
		w.b.Fatal(err)
	}
	if !w.told.Scan() {
		w.b.Fatalf("the bot's process ended: %v", w.told.Err())
	}
	d, err := time.ParseDuration(w.told.Text())
	if err != nil {
		w.b.Fatal(err)
	}
	return d
}

// TestCostWorker is the process of the bot whose time [BenchmarkCommand] measures, and nothing in a usual run.
func TestCostWorker(t *testing.T) {
	homeserver := os.Getenv(costHomeserver)
	if homeserver == "" {
		t.Skip("this is a part of BenchmarkCommand")
	}
	db, err := sqlite.Open(os.Getenv(costStore))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	enc := e2ee.New(db, e2ee.OnRecoveryKey(func(context.Context, string) error { return nil }))
	bot, err := niobot.New(niobot.Config{
		Homeserver: homeserver, Token: os.Getenv(costToken), Prefixes: []string{"!"},
	}, niobot.WithStore(db), niobot.WithEncryption(enc), niobot.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "pong")
	}))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(t.Context()) }()
	select {
	case <-bot.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	for questions := bufio.NewScanner(os.Stdin); questions.Scan(); {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			t.Fatal(err)
		}
		fmt.Println(time.Duration(used.Utime.Nano() + used.Stime.Nano()))
	}
	if err := cmp.Or(bot.Close(), <-ended); err != nil {
		t.Fatal(err)
	}
}
