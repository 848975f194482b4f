package attachment

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

const (
	defaultUploadCache = 256
	// uploadLasts is for how long an upload is taken for granted: servers delete old media.
	uploadLasts = 24 * time.Hour
)

// uploadKey is what makes two plain uploads the same.
type uploadKey struct {
	sum  digest
	mime string
}

// uploadCache remembers the latest plain uploads, and lets the same file wait for the upload that is under way.
type uploadCache struct {
	mu      sync.Mutex
	most    int
	order   *list.List // Of *uploaded, the latest used first
	entries map[uploadKey]*list.Element
	running map[uploadKey]*running
}

type uploaded struct {
	key  uploadKey
	uri  id.ContentURI
	when time.Time
}

type running struct {
	done chan struct{}
	uri  id.ContentURI
	err  error
}

func newUploadCache(most int) *uploadCache {
	return &uploadCache{
		most: most, order: list.New(), entries: map[uploadKey]*list.Element{}, running: map[uploadKey]*running{},
	}
}

// do returns what is remembered, or what upload returns. Of several at once one uploads; where it fails because its
// own caller has given up, the next one does.
func (c *uploadCache) do(
	ctx context.Context, key uploadKey, upload func() (id.ContentURI, error),
) (id.ContentURI, error) {
	if c.most <= 0 {
		return upload()
	}
	for {
		c.mu.Lock()
		if uri, ok := c.find(key); ok {
			c.mu.Unlock()
			return uri, nil
		}
		other := c.running[key]
		if other == nil {
			break
		}
		c.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return id.ContentURI{}, context.Cause(ctx)
		}
		if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return other.uri, other.err
		}
	}
	mine := &running{done: make(chan struct{}), err: context.Canceled} // As if given up, should upload panic
	c.running[key] = mine
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, key)
		if mine.err == nil {
			c.add(key, mine.uri)
		}
		close(mine.done)
	}()
	mine.uri, mine.err = upload()
	return mine.uri, mine.err
}

func (c *uploadCache) find(key uploadKey) (id.ContentURI, bool) {
	element := c.entries[key]
	if element == nil {
		return id.ContentURI{}, false
	}
	found := element.Value.(*uploaded)
	if time.Since(found.when) > uploadLasts {
		c.remove(element)
		return id.ContentURI{}, false
	}
	c.order.MoveToFront(element)
	return found.uri, true
}

func (c *uploadCache) add(key uploadKey, uri id.ContentURI) {
	c.entries[key] = c.order.PushFront(&uploaded{key, uri, time.Now()})
	if c.order.Len() > c.most {
		c.remove(c.order.Back())
	}
}

func (c *uploadCache) remove(element *list.Element) {
	delete(c.entries, element.Value.(*uploaded).key)
	c.order.Remove(element)
}
