package niobot

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFifoIsAQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var q fifo[int]
	var want []int
	next := 0
	for range 50_000 {
		// It grows past the size at which it moves its items, and is emptied again.
		switch grow := next/5000%2 == 0; {
		case random.IntN(10) == 0:
			next++
			q.pushFront(next)
			want = append([]int{next}, want...)
		case grow == (random.IntN(3) > 0):
			next++
			q.push(next)
			want = append(want, next)
		default:
			got, ok := q.pop()
			if ok != (len(want) > 0) || ok && got != want[0] {
				t.Fatalf("pop gave %d, %t; want the first of %d items", got, ok, len(want))
			}
			want = want[min(1, len(want)):]
		}
		if q.len() != len(want) {
			t.Fatalf("len is %d, want %d", q.len(), len(want))
		}
	}
	var got []int
	for item, ok := q.pop(); ok; item, ok = q.pop() {
		got = append(got, item)
	}
	if !slices.Equal(got, want) {
		t.Error("what was left came out in another order")
	}
}

func TestFifoGivesMemoryBack(t *testing.T) {
	var q fifo[*[1024]byte]
	for range 10 * fifoKeeps {
		q.push(new([1024]byte))
	}
	for q.len() > 0 {
		q.pop()
	}
	if cap(q.items) > fifoKeeps {
		t.Errorf("the empty queue keeps %d places", cap(q.items))
	}
}
