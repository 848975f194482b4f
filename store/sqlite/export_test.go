package sqlite

import (
	"context"
	"fmt"
	"testing"
)

// LimitPages has the file of a claimed store grow to n pages at most, as a disk that is full does.
func LimitPages(t testing.TB, s *Store, n int) {
	t.Helper()
	err := s.claim.write(context.Background(), func(c *conn) error {
		_, _, err := c.one(fmt.Sprintf("PRAGMA max_page_count = %d", n))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Digests are the digests of the migrations, in their order.
func Digests() []string {
	var all []string
	for _, step := range migrations {
		all = append(all, step.Digest())
	}
	return all
}
