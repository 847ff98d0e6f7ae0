// Command bench measures the service beside what a team would have without it,
// in one run on the machine at hand: the picture, and the whole request, against
// a Cognito that answers at once. It prints two tables in Markdown; docs/
// performance.md explains them. Linux only: it reads /proc.
//
//	cd bench && go run .                 measure
//	cd bench && go run . -profile DIR    profile startTotp and verifyTotp
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// The amount of work. Candidates take turns, so that whatever else the machine
// does meanwhile meets them all, and the median over the rounds counts.
const (
	rounds        = 5
	people        = 8_000 // each may start 20 enrollments at once and 10 a minute after
	busyRequests  = 4_000 // a round, at full load
	busyTime      = 3 * time.Second
	steadyRate    = 50  // requests a second
	steadyCount   = 500 // a round
	starts        = 9   // of each process
	soakRequests  = 100_000
	soakTime      = time.Minute
	profileLength = 20 // seconds
)

func main() {
	profiles := flag.String("profile", "", "write profiles of CPU and allocations into this `folder` instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *profiles, os.Stdout)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, profiles string, w io.Writer) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	b, err := newBench(ctx, folder, people)
	if err != nil {
		return err
	}
	defer b.stub.stop()
	if profiles != "" {
		return b.profile(ctx, profiles)
	}
	if err := pictures(w, rounds); err != nil {
		return err
	}
	return b.measure(ctx, w)
}

// measure runs everything about the request and prints its table.
func (b *bench) measure(ctx context.Context, w io.Writer) error {
	all := b.candidates()
	if err := startTimes(ctx, all); err != nil {
		return err
	}
	if err := b.start(ctx, all); err != nil {
		return err
	}
	defer func() {
		for _, c := range all {
			if c.process != nil {
				c.process.stop()
			}
		}
	}()
	for _, c := range all { // warm up: connections, keys, pools
		if _, err := c.full(ctx, busyRequests/4, busyTime); err != nil {
			return err
		}
	}
	for range rounds {
		for _, c := range all {
			cpu, err := c.full(ctx, busyRequests, busyTime)
			if err != nil {
				return err
			}
			c.cpu = append(c.cpu, cpu)
		}
		for _, c := range all {
			if err := c.steady(ctx, steadyCount, steadyRate); err != nil {
				return err
			}
		}
	}
	for _, c := range all[:4] {
		if _, err := c.full(ctx, soakRequests-c.requests, soakTime); err != nil {
			return err
		}
	}
	return table(w, all)
}

// startTimes starts every process a few times, in turn.
func startTimes(ctx context.Context, all []*candidate) error {
	for range starts {
		for _, c := range all {
			if c.program.path == "" {
				continue
			}
			p, err := c.program.start(ctx)
			if err != nil {
				return err
			}
			p.stop()
			c.ready = append(c.ready, float64(p.took.Microseconds())/1e3)
		}
	}
	return nil
}

func table(w io.Writer, all []*candidate) error {
	direct := median(all[4].p50)
	fmt.Fprintf(w, "\n| in front of Cognito | CPU a request, full load | CPU a request, %d/s | p50, %d/s | p99, %d/s | p50 added | peak RSS (requests) | exec to ready | binary |\n", steadyRate, steadyRate, steadyRate)
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, c := range all {
		if c.process == nil {
			fmt.Fprintf(w, "| %s | | | %.0f µs | %.0f µs | | | | |\n", c.name, median(c.p50), median(c.p99))
			continue
		}
		rss, err := c.process.peakRSS()
		if err != nil {
			return err
		}
		size, err := c.size()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %s | %.0f µs | %.0f µs | %.0f µs | %.0f µs | %.0f µs | %.1f MiB (%d) | %.1f ms | %.1f MiB |\n",
			c.name, median(c.cpu), median(c.steadyCPU), median(c.p50), median(c.p99), median(c.p50)-direct,
			rss, c.requests, median(c.ready), size)
	}
	naive, proxy := all[2], all[3]
	for _, c := range all[:2] {
		fmt.Fprintf(w, "\n%s: CPU at full load 1/%.1f of the naive service's and %.1f times the proxy's; adds %.1f times to p50 what the proxy adds.\n",
			c.name, median(naive.cpu)/median(c.cpu), median(c.cpu)/median(proxy.cpu), (median(c.p50)-direct)/(median(proxy.p50)-direct))
	}
	return nil
}

// profile writes profiles of the service under full load, of a process for each
// operation, with nothing kept, so that verifying needs no start before it.
func (b *bench) profile(ctx context.Context, folder string) error {
	err := b.profileOne(ctx, filepath.Join(folder, "startTotp"), http.StatusCreated, "data:image/png;base64,", startTotp)
	if err != nil {
		return err
	}
	return b.profileOne(ctx, filepath.Join(folder, "verifyTotp"), http.StatusOK, "methods", verifyTotp)
}

func (b *bench) profileOne(ctx context.Context, to string, status int, holds string, operation func(string) func(string) (*http.Request, error)) error {
	p, err := b.service("PROFILING=true", "PENDING_TTL=0").start(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	c := newCaller(b.tokens, status, holds, operation("http://"+p.addr))
	failed := make(chan error, 1)
	go func() {
		_, err := c.busy(ctx, len(b.tokens)*10, profileLength*time.Second)
		failed <- err
	}()
	err = fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.admin, profileLength-2), to+".cpu.pprof")
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	return fetch(ctx, "http://"+p.admin+"/debug/pprof/allocs", to+".allocs.pprof")
}

// fetch saves what an address answers.
func fetch(ctx context.Context, url, to string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, reply.Status)
	}
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
