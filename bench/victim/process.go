package victim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Bot is what a bot's process needs to know.
type Bot struct {
	Program    string   // An executable that calls [Main] where its first argument is [Role]
	Via        []string // A command that is to run it, with its arguments; nil for none
	Homeserver string
	Token      string
	Store      Place
	Standby    bool
	Recovery   string // The file for its recovery key; with one, the bot has encryption
}

// Process is a bot at work. Its methods may be called from any goroutine, Kill and Stop any number of times.
type Process struct {
	Began time.Time

	cmd   *exec.Cmd
	input io.Closer // Ends the process when it is closed, as it is when this process ends
	ready chan struct{}
	gone  chan struct{}
	logs  io.Writer

	mu      sync.Mutex
	line    []byte
	since   time.Time      // When the bot was ready
	said    map[string]int // How often each message was logged
	failure string         // The line of an end with an error
	heard   chan struct{}  // Closed at the next line
}

// Start starts the bot. Its log is copied to logs.
func (b Bot) Start(logs io.Writer) (*Process, error) {
	args := append(append([]string{}, b.Via...), b.Program, Role)
	p := &Process{
		Began: time.Now(), logs: logs, cmd: exec.Command(args[0], args[1:]...), said: make(map[string]int),
		ready: make(chan struct{}), gone: make(chan struct{}), heard: make(chan struct{}),
	}
	standby := ""
	if b.Standby {
		standby = "yes"
	}
	p.cmd.Env = append(os.Environ(),
		variableHomeserver+"="+b.Homeserver, variableToken+"="+b.Token,
		variableKind+"="+b.Store.Kind, variablePlace+"="+b.Store.At, variableStandby+"="+standby,
		variableRecovery+"="+b.Recovery)
	p.cmd.Stderr = listener{p}
	input, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.input = input
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the bot: %w", err)
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // To be killed is how it mostly ends
	}()
	return p, nil
}

// Ready is closed when the bot has synced for the first time.
func (p *Process) Ready() <-chan struct{} { return p.ready }

// ReadySince is when the bot was ready; zero before that.
func (p *Process) ReadySince() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.since
}

// Gone is closed when the process has ended.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process by SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // It may be gone already
	<-p.gone
}

// Ask asks the process to end, by SIGTERM, and returns at once.
func (p *Process) Ask() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// Stop asks the process to end and returns when it has, with what went wrong.
func (p *Process) Stop() error {
	p.Ask()
	<-p.gone
	return p.Err()
}

// Err is why a process that is gone ended, where that was with an error of its own.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != "" {
		return fmt.Errorf("the bot ended by itself: %s", p.failure)
	}
	if state := p.cmd.ProcessState; state != nil && state.Exited() && state.ExitCode() != 0 {
		return fmt.Errorf("the bot ended by itself: %s", state)
	}
	return nil
}

// CPU is the processor's time that a process that is gone has used, in the kernel too.
func (p *Process) CPU() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Said is how often the bot has logged a message, and a channel that is closed when it logs another.
func (p *Process) Said(message string) (times int, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said[message], p.heard
}

// listener takes the process's log in. It is apart from Process to keep Write out of its methods.
type listener struct{ p *Process }

// Write implements [io.Writer].
func (l listener) Write(text []byte) (int, error) {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = append(p.line, text...)
	for {
		line, rest, whole := bytes.Cut(p.line, []byte("\n"))
		if !whole {
			break
		}
		p.hear(line)
		p.line = rest
	}
	close(p.heard)
	p.heard = make(chan struct{})
	return p.logs.Write(text)
}

// hear takes a line of the log in. The caller holds p.mu.
func (p *Process) hear(line []byte) {
	var record struct {
		Message string `json:"msg"`
	}
	if json.Unmarshal(line, &record) != nil {
		// What the runtime prints at a panic, of which the first line says most.
		if p.failure == "" {
			p.failure = string(line)
		}
		return
	}
	p.said[record.Message]++
	switch record.Message {
	case readyMessage:
		if p.said[readyMessage] == 1 {
			p.since = time.Now()
			close(p.ready)
		}
	case ended:
		p.failure = string(line)
	}
}

// readyMessage is what niobot logs after its first sync.
const readyMessage = "ready"
