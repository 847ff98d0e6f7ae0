package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"runtime/debug"
	"syscall"

	"mfa-enrollment/metrics"
)

// Run reads the configuration, runs the service until SIGTERM or SIGINT, and
// returns the exit status of the process.
func Run(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := LoadConfig(getenv)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "The configuration is not right:\n%v\n", err)
		return 2
	}
	logger := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: config.LogLevel}))
	a, err := New(config, Options{Logger: logger, Build: Build()})
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		logger.ErrorContext(ctx, "not started", slog.Any("error", err))
		return 1
	}
	return a.Wait(ctx)
}

// Wait blocks until ctx ends or a listener fails, stops the service, and
// returns the exit status of the process.
func (a *App) Wait(ctx context.Context) int {
	status := 0
	select {
	case <-ctx.Done():
	case err := <-a.Failed():
		a.logger.ErrorContext(ctx, "a listener failed", slog.Any("error", err))
		status = 1
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := a.Stop(stopping); err != nil {
		a.logger.ErrorContext(ctx, "not everything finished in time", slog.Any("error", err))
		status = 1
	}
	return status
}

// Build says which build this is, as the Go linker recorded it.
func Build() metrics.BuildInfo {
	b := metrics.BuildInfo{Version: "unknown", Revision: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
