package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine is the longest line that is read, in bytes: no Matrix event could hold a longer text.
const maxLine = 64 << 10

// readLines reads lines until r ends or done is closed. What r ended with comes by failed, after the last line; it is nil
// at the end of the input.
//
// A read can't be interrupted: where done is closed first, the goroutine that reads is left to end with the next line,
// or with the process.
func readLines(r io.Reader, done <-chan struct{}) (lines <-chan string, failed <-chan error) {
	read, ended := make(chan string), make(chan error, 1)
	go func() {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			select {
			case read <- scanner.Text():
			case <-done:
				return
			}
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("a line is longer than %d bytes", maxLine)
		}
		ended <- err
	}()
	return read, ended
}

// linesOf yields the lines of r, without the empty ones, until r or ctx ends. An error is yielded last. It leaves a
// goroutine behind where [readLines] does.
func linesOf(ctx context.Context, r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		done := make(chan struct{})
		defer close(done)
		lines, failed := readLines(r, done)
		for {
			select {
			case line := <-lines:
				if strings.TrimSpace(line) != "" && !yield(line, nil) {
					return
				}
			case err := <-failed:
				if err != nil {
					yield("", err)
				}
				return
			case <-ctx.Done():
				return
			}
		}
	}
}
