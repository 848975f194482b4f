package niobot

// fifo is a queue that gives its memory back as it is emptied. The zero value is ready.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(item T) { q.items = append(q.items, item) }

func (q *fifo[T]) pushFront(item T) {
	if q.head > 0 {
		q.head--
		q.items[q.head] = item
		return
	}
	q.items = append(q.items, item)
	copy(q.items[1:], q.items)
	q.items[0] = item
}

func (q *fifo[T]) pop() (item T, ok bool) {
	if q.len() == 0 {
		return item, false
	}
	var zero T
	item, q.items[q.head] = q.items[q.head], zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > fifoKeeps {
			q.items = nil
		}
	case q.head > fifoKeeps && q.head > len(q.items)/2:
		q.items, q.head = append([]T(nil), q.items[q.head:]...), 0
	}
	return item, true
}

// fifoKeeps is how many places an empty queue keeps for the next items.
const fifoKeeps = 1024
