package pending

import (
	"hash/maphash"
	"time"
)

// table is a map whose rows end, and that is bounded: beyond its capacity some
// row gives way, whichever it is. What has ended is there until the next sweep.
//
// It has a hash of 64 bits for a name, which takes a tenth of the name's memory. Two
// of 100,000 names share one with a chance of 3 in 10,000,000,000, and nobody can
// make two that do: the seed is random. Of two entries that shared one the later
// would stay, and does not open under the other's name.
type table[V interface{ ended(now time.Time) bool }] struct {
	rows     map[uint64]V
	seed     maphash.Seed
	capacity int
}

func newTable[V interface{ ended(now time.Time) bool }](capacity int) table[V] {
	return table[V]{map[uint64]V{}, maphash.MakeSeed(), capacity}
}

func (t table[V]) key(name string) uint64 { return maphash.String(t.seed, name) }

func (t table[V]) at(name string) (row V, found bool) {
	row, found = t.rows[t.key(name)]
	return row, found
}

func (t table[V]) put(name string, row V) {
	key := t.key(name)
	if _, known := t.rows[key]; !known && len(t.rows) >= t.capacity {
		for some := range t.rows {
			delete(t.rows, some)
			break
		}
	}
	t.rows[key] = row
}

func (t table[V]) sweep(now time.Time) {
	for key, row := range t.rows {
		if row.ended(now) {
			delete(t.rows, key)
		}
	}
}
