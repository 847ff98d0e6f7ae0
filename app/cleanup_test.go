package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestStopClosesTheLastFirstAndTellsEveryError(t *testing.T) {
	t.Parallel()
	a := &App{logger: slog.New(slog.DiscardHandler), lifecycle: newLifecycle()}
	var order []string
	step := func(name string, err error) {
		a.onStop(func(context.Context) error { order = append(order, name); return err })
	}
	step("first", errors.New("first failed"))
	step("second", nil)
	step("third", errors.New("third failed"))
	for range 2 {
		err := a.Stop(t.Context())
		if err == nil || !strings.Contains(err.Error(), "first failed") || !strings.Contains(err.Error(), "third failed") {
			t.Errorf("the error is %v", err)
		}
	}
	if want := []string{"third", "second", "first"}; !slices.Equal(order, want) {
		t.Errorf("closed in the order %v, want %v", order, want)
	}
}

func TestWaitStopsWhenAListenerFails(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := &App{logger: slog.New(slog.NewTextHandler(&log, nil)), lifecycle: newLifecycle()}
	closed := false
	a.onStop(func(context.Context) error { closed = true; return nil })
	a.failed <- errors.New("ADDR: accept failed")
	if status := a.Wait(t.Context()); status != 1 || !closed || !strings.Contains(log.String(), "ADDR: accept failed") {
		t.Errorf("status %d, closed %v: %s", status, closed, log.String())
	}
}
