package niobot

// bounded is a map that forgets what was put there first when it is full.
type bounded[K comparable, V any] struct {
	most  int
	items map[K]V
	order fifo[K]
}

func (b *bounded[K, V]) find(key K) (V, bool) {
	value, ok := b.items[key]
	return value, ok
}

func (b *bounded[K, V]) put(key K, value V) {
	if b.items == nil {
		b.items = make(map[K]V)
	}
	if _, known := b.items[key]; !known {
		b.order.push(key)
	}
	b.items[key] = value
	for b.order.len() > b.most {
		oldest, _ := b.order.pop()
		delete(b.items, oldest)
	}
}

// remove forgets an item. Its place in the order is left, and passed over later.
func (b *bounded[K, V]) remove(key K) { delete(b.items, key) }
