// Package peak measures for tests how much memory a piece of work needs at most.
package peak

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// interval is how many calls of sample there are to one look at the heap.
const interval = 16

// Of calls f and returns by how many bytes the heap was larger than before at most. f calls sample as it goes on, as
// often as it likes; what f returns still counts at the end. The collector is made to run often, since what it has not
// got to yet counts as well. Nothing else should allocate meanwhile.
func Of(f func(sample func()) any) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 {
		metrics.Read(heap)
		return heap[0].Value.Uint64()
	}
	runtime.GC()
	before, most, calls := read(), uint64(0), 0
	alive := f(func() {
		if calls++; calls%interval == 0 {
			most = max(most, read())
		}
	})
	runtime.GC()
	most = max(most, read())
	runtime.KeepAlive(alive)
	return most - min(most, before)
}
