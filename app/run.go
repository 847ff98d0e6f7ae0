package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"mfa-enrollment/metrics"
)

// The exit statuses of the process.
const (
	exitFailed  = 1 // it ran, or nearly: an address was taken, a listener failed
	exitWrong   = 2 // the configuration, or the command line, is not right
	exitSuccess = 0
)

// Main is the command line of the service; environ is the environment, each entry
// NAME=value. It returns the exit status of the process.
//
//	api               run until SIGTERM or SIGINT
//	api check         look at the configuration and at what it names: 0, or 2 with what to do
//	api healthcheck   ask the running service: 0 when it is alive, 1 when not
//	api version       say which build this is
func Main(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 1 {
		return Run(ctx, environ, stdout, stderr)
	}
	switch args[1] {
	case "healthcheck":
		return healthcheck(ctx, lookup(environ), stderr)
	case "check":
		return Check(ctx, environ, time.Now, stdout)
	case "version":
		b := Build()
		_, _ = fmt.Fprintf(stdout, "mfa-enrollment %s (%s)\n", b.Version, b.Revision)
		return 0
	}
	_, _ = fmt.Fprintf(stderr, "unknown command; there are: check, healthcheck, version, and none to run the service\n")
	return exitWrong
}

// Run reads the configuration, runs the service until SIGTERM or SIGINT, and
// returns the exit status of the process.
func Run(ctx context.Context, environ []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := LoadConfig(lookup(environ))
	if err != nil {
		return refuse(stderr, err, environ)
	}
	if !config.Profiling {
		// Samples that nobody can ask for cost 7 % of a request's CPU time.
		runtime.MemProfileRate = 0
	}
	level := &slog.LevelVar{}
	level.Set(config.LogLevel)
	logger := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: level}))
	a, err := New(config, Options{Logger: logger, Level: level, Build: Build(), Environ: environ})
	if err != nil {
		return refuse(stderr, err, environ)
	}
	if err := a.Start(ctx); err != nil {
		logger.ErrorContext(ctx, "not started", slog.Any("error", err))
		return exitFailed
	}
	return a.Wait(ctx)
}

// refuse tells every fault of a configuration, and what was probably meant.
func refuse(stderr io.Writer, faults error, environ []string) int {
	_, _ = fmt.Fprintf(stderr, "The configuration is not right:\n%v\n", faults)
	for _, warning := range misspelled(environ) {
		_, _ = fmt.Fprintln(stderr, warning)
	}
	return exitWrong
}

// lookup finds a variable in an environment. As in a process's own, the first of
// two entries counts.
func lookup(environ []string) func(name string) string {
	return func(name string) string {
		for _, setting := range environ {
			if value, ok := strings.CutPrefix(setting, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// healthcheck asks /healthz on the admin address of this machine, for a
// container that holds nothing but this binary.
func healthcheck(ctx context.Context, getenv func(string) string, stderr io.Writer) int {
	values, _ := environment(getenv) // What else is wrong is for the service to tell.
	host, port, err := net.SplitHostPort(cmp.Or(values["ADMIN_ADDR"], ":9090"))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ADMIN_ADDR wants host:port")
		return 1
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ADMIN_ADDR wants host:port")
		return 1
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "not alive")
		return 1
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		_, _ = fmt.Fprintln(stderr, "not alive:", response.Status)
		return 1
	}
	return 0
}

// version and revision are set by the linker (make build, the image, a release).
var version, revision string //nolint:gochecknoglobals // -ldflags -X can set nothing else.

// Build says which build this is: what the linker was told, and else what go build
// recorded.
func Build() metrics.BuildInfo {
	b := metrics.BuildInfo{Version: version, Revision: revision}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		info = &debug.BuildInfo{}
	}
	b.Version = cmp.Or(b.Version, info.Main.Version, "unknown")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = cmp.Or(b.Revision, s.Value)
		}
	}
	b.Revision = cmp.Or(b.Revision, "unknown")
	return b
}
