package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"mfa-enrollment/internal/quota/crowd"
)

// run is the program. Its status is 2 for a wrong command line, 1 for what else
// went wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	reports, err := rehearse(ctx, o, stderr)
	if err == nil {
		err = write(stdout, o, reports)
	}
	if err == nil && o.chart != "" {
		err = os.WriteFile(o.chart, chart(o, reports), 0o644) //nolint:gosec // A picture to be shown.
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// rehearse plays the rollout in each way, one after the other, each with a Cognito
// of its own and the same people.
func rehearse(ctx context.Context, o options, progress io.Writer) (reports []report, err error) {
	for _, way := range o.waysToPlay() {
		r, err := rehearseOne(ctx, o, way, progress)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, ctx.Err()
}

func rehearseOne(ctx context.Context, o options, way string, progress io.Writer) (report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := report{name: way}
	cognito, err := newStandIn(ctx, o)
	if err != nil {
		return r, err
	}
	pageOf := func(i int) crowd.Page { return direct(o, cognito, i) }
	if way == throughService {
		s, err := newService(ctx, o, cognito)
		if err != nil {
			return r, err
		}
		defer func() { _ = s.stop() }()
		pageOf = func(i int) crowd.Page { return s.page(o, i) }
	}
	pageOf = signedIn(o, pageOf)
	begin := time.Now()
	stop := every(time.Second, func() {
		calls, refused := cognito.writes()
		if r.done = append(r.done, calls-refused); len(r.done)%10 == 0 {
			_, _ = fmt.Fprintf(progress, "%s, %.0f s: %d calls of the quota, %d refused\n", way, time.Since(begin).Seconds(), calls, refused)
		}
	})
	r.lives = crowd.Play(ctx, o.people, o.Behavior, o.seed, pageOf)
	stop()
	r.calls, r.refused = cognito.writes()
	return r, nil
}

// signedIn signs everybody in: by token in advance, since a thousand signatures
// take seconds; by session on arrival, since a session lives for minutes.
func signedIn(o options, pageOf func(int) crowd.Page) func(int) crowd.Page {
	if o.flow == "session" {
		return func(i int) crowd.Page {
			p := pageOf(i)
			p.SignIn()
			return p
		}
	}
	pages := make([]crowd.Page, o.people)
	for i := range pages {
		pages[i] = pageOf(i)
		pages[i].SignIn()
	}
	return func(i int) crowd.Page { return pages[i] }
}

// every does something from time to time until it is stopped.
func every(d time.Duration, do func()) (stop func()) {
	tick, stopped, ended := time.NewTicker(d), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				do()
			case <-stopped:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(stopped)
		<-ended
	}
}
