// Package long says how far a search goes: some way in `make test`, and all the
// way with LONG=1, which `make test-long` and CI set. Tests alone import this package.
package long

import "os"

// Or is whole with LONG=1, and short without.
func Or[T any](short, whole T) T {
	if os.Getenv("LONG") == "1" {
		return whole
	}
	return short
}
