package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// stopTimeout is how long Wait lets requests in flight finish, after
// SHUTDOWN_DELAY.
const stopTimeout = 20 * time.Second

// lifecycle is what Start and Stop need to know.
type lifecycle struct {
	stopping chan struct{} // closed when Stop begins
	failed   chan error    // a listener that ended by itself

	mu       sync.Mutex // Start and Stop run one after the other
	started  bool
	stopped  bool
	stopErr  error                         // what the first Stop returned
	cleanups []func(context.Context) error // what is running, in the order in which it began
}

func newLifecycle() lifecycle {
	return lifecycle{stopping: make(chan struct{}), failed: make(chan error, 2)}
}

// onStop notes how something is closed that has just begun. Only New and Start
// call it.
func (l *lifecycle) onStop(f func(context.Context) error) { l.cleanups = append(l.cleanups, f) }

// Start opens both listeners and returns; it does not wait for Cognito. The
// context bounds the opening alone. Where it fails it stops the application. A
// second Start fails, and so does one after Stop.
func (a *App) Start(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopped:
		return errors.New("the application was stopped")
	case a.started:
		return errors.New("the application was started already")
	}
	a.started = true
	a.warn(ctx)
	if err := a.open(ctx); err != nil {
		return errors.Join(err, a.stop(context.WithoutCancel(ctx)))
	}
	for _, l := range []*listener{a.admin, a.public} {
		go func() {
			if err := l.serve(); err != nil {
				a.failed <- err
			}
		}()
	}
	a.onStop(a.linger)
	a.logger.InfoContext(ctx, "started", slog.String("addr", a.Addr()), slog.String("adminAddr", a.AdminAddr()))
	return nil
}

// warn logs and counts what is probably not meant. It asks Redis once: a replica
// starts during an outage too, and then begins without it.
func (a *App) warn(ctx context.Context) {
	warnings := append(misspelled(a.environ), a.config.warnings()...)
	if problem := a.store.look(ctx); problem != "" {
		warnings = append(warnings, "REDIS_URL: "+problem)
	}
	for _, warning := range warnings {
		a.metrics.ConfigurationWarned()
		a.logger.WarnContext(ctx, "the configuration is probably not what is meant", slog.String("warning", warning))
	}
}

// open begins to fetch the keys and takes both addresses. The API is the last, so
// that it is the first to be closed, while everything that it needs still runs.
func (a *App) open(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.onStop(func(context.Context) error { cancel(); return nil })
	a.verifier.Start(background)
	for _, l := range []struct {
		*listener
		addr string
	}{{a.admin, a.config.AdminAddr}, {a.public, a.config.Addr}} {
		if err := l.open(ctx, l.addr); err != nil {
			return err
		}
		a.onStop(l.shutdown)
	}
	return nil
}

// ready says why the service should not get requests, or nil.
func (a *App) ready() error {
	select {
	case <-a.stopping:
		return errors.New("stopping")
	default:
		return a.verifier.Ready()
	}
}

// linger goes on answering for SHUTDOWN_DELAY, so that load balancers see that
// /readyz fails and send their requests elsewhere before the listeners close.
func (a *App) linger(ctx context.Context) error {
	timer := time.NewTimer(a.config.ShutdownDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// tellToClose asks connections to close after their next answer, once the
// application is stopping: HTTP/1.1 by the header, HTTP/2 by the GOAWAY that
// net/http sends for it. Connections that a load balancer keeps open would
// otherwise be cut when the listeners close.
func (a *App) tellToClose(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-a.stopping:
			w.Header().Set("Connection", "close")
		default:
		}
		next.ServeHTTP(w, r)
	})
}

// Stop says "not ready" at once, goes on answering for SHUTDOWN_DELAY, and then
// takes no new connections, lets the requests in flight finish, and closes what
// New and Start began, the last first. All of that lasts while ctx does. It may
// come before Start. Another Stop waits for the first and returns what that
// returned.
func (a *App) Stop(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stop(ctx)
}

func (a *App) stop(ctx context.Context) error {
	if a.stopped {
		return a.stopErr
	}
	a.stopped = true
	close(a.stopping)
	var errs []error
	for _, cleanup := range slices.Backward(a.cleanups) {
		errs = append(errs, cleanup(ctx))
	}
	a.stopErr = errors.Join(errs...)
	if a.started {
		a.logger.InfoContext(ctx, "stopped")
	}
	return a.stopErr
}

// Wait blocks until ctx ends or a listener fails, stops the application, and
// returns the exit status of the process.
func (a *App) Wait(ctx context.Context) int {
	status := exitSuccess
	select {
	case <-ctx.Done():
	case err := <-a.failed:
		a.logger.ErrorContext(ctx, "a listener failed", slog.Any("error", err))
		status = exitFailed
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.ShutdownDelay+stopTimeout)
	defer cancel()
	if err := a.Stop(stopping); err != nil {
		a.logger.ErrorContext(ctx, "not everything finished in time", slog.Any("error", err))
		status = exitFailed
	}
	return status
}

// Addr is where the API listens; empty before Start.
func (a *App) Addr() string { return a.public.addr() }

// AdminAddr is where the admin endpoints listen; empty before Start.
func (a *App) AdminAddr() string { return a.admin.addr() }
