// Package long says how far a search goes: some way in `make test`, and all the
// way with LONG=1, which `make test-long` and CI set. Tests alone import this package.
package long

import (
	"os"
	"testing"
)

// Asked says whether all is to be tried: with LONG=1.
func Asked() bool { return os.Getenv("LONG") == "1" }

// Only skips a test without LONG=1. The reason says what it costs.
func Only(t *testing.T, reason string) {
	t.Helper()
	if !Asked() {
		t.Skip(reason + "; LONG=1 runs it")
	}
}

// Or is whole with LONG=1, and short without.
func Or[T any](short, whole T) T {
	if Asked() {
		return whole
	}
	return short
}
