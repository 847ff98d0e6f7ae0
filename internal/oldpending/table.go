package pending

import "time"

// table is a map whose rows end, and that is bounded: beyond its capacity some
// row gives way, whichever it is. What has ended is there until the next sweep.
type table[V interface{ ended(now time.Time) bool }] struct {
	rows     map[string]V
	capacity int
}

func newTable[V interface{ ended(now time.Time) bool }](capacity int) table[V] {
	return table[V]{map[string]V{}, capacity}
}

func (t table[V]) put(key string, row V) {
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
