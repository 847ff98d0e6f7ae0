package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"mfa-enrollment/internal/quota/crowd"
)

// report is what became of everybody in one way of the rollout.
type report struct {
	name           string
	lives          []crowd.Life
	calls, refused int
	done           []int // calls of the quota that Cognito did, until the end of each second
}

// write prints the reports beside each other.
func write(w io.Writer, o options, reports []report) error {
	_, _ = fmt.Fprintf(w, "%d people by %s over %v. A quota of %d calls a second, of which others take %v, carries %.2f people a second; %.1f times as many arrive.\n\n",
		o.people, o.flow, o.Over, o.quota, o.others, o.limit(), float64(o.people)/o.Over.Seconds()/o.limit())
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(name string, cell func(report) string) {
		_, _ = fmt.Fprint(table, name)
		for _, r := range reports {
			_, _ = fmt.Fprint(table, "\t", cell(r))
		}
		_, _ = fmt.Fprintln(table)
	}
	count := func(which func(crowd.Life) bool) func(report) string {
		return func(r report) string { return fmt.Sprint(len(r.where(which))) }
	}
	row("", func(r report) string { return r.name })
	row("people who finished", count(crowd.Life.HasFinished))
	row("gave up without a QR code", count(func(l crowd.Life) bool { return l.Started == 0 }))
	row("lost with a QR code in their hands", count(crowd.Life.IsLost))
	row("finished a second, once warm", func(r report) string { return r.pace(o) })
	row("calls of the quota", func(r report) string { return fmt.Sprint(r.calls) })
	row("  for each who finished", func(r report) string { return ratio(r.calls, len(r.finished())) })
	row("  refused", func(r report) string {
		return fmt.Sprintf("%d (%.1f %%)", r.refused, 100*float64(r.refused)/max(1, float64(r.calls)))
	})
	row("of what others leave of the quota, used in", func(report) string { return "" })
	row("  the first ten seconds", func(r report) string { return r.used(o, 0, 10*time.Second) })
	row("  the next ten", func(r report) string { return r.used(o, 10*time.Second, 20*time.Second) })
	row("  the third ten", func(r report) string { return r.used(o, 20*time.Second, 30*time.Second) })
	row("  the rest of the time in which people started", func(r report) string { return r.used(o, 30*time.Second, r.lastStart()) })
	row("waited for the QR code, half, 95 %, longest", func(r report) string {
		return quantiles(r.durations(func(l crowd.Life) bool { return l.Started > 0 }, func(l crowd.Life) time.Duration { return l.Started - l.Arrived }))
	})
	row("from the code to the end, half, 95 %, longest", func(r report) string {
		return quantiles(r.durations(crowd.Life.HasFinished, func(l crowd.Life) time.Duration { return l.Finished - l.Code }))
	})
	row("half, 95 % and all of those were done after", func(r report) string { return quantiles(r.finished()) })
	return table.Flush()
}

func (r report) where(which func(crowd.Life) bool) (some []crowd.Life) {
	for _, l := range r.lives {
		if which(l) {
			some = append(some, l)
		}
	}
	return some
}

// durations are sorted.
func (r report) durations(which func(crowd.Life) bool, of func(crowd.Life) time.Duration) (ds []time.Duration) {
	for _, l := range r.where(which) {
		ds = append(ds, of(l))
	}
	slices.Sort(ds)
	return ds
}

// finished is when people finished.
func (r report) finished() []time.Duration {
	return r.durations(crowd.Life.HasFinished, func(l crowd.Life) time.Duration { return l.Finished })
}

// pace is how many finished a second while people waited to start: from when
// the first have had time to come back, to when the last got a QR code.
func (r report) pace(o options) string {
	warm, end, n := 3*o.Scan, r.lastStart(), 0
	if end < warm+10*time.Second {
		return "too short to say"
	}
	for _, at := range r.finished() {
		if at >= warm && at < end {
			n++
		}
	}
	a := float64(n) / (end - warm).Seconds()
	return fmt.Sprintf("%.2f (%.0f %% of the limit)", a, 100*a/o.limit())
}

// lastStart is when the last got a QR code.
func (r report) lastStart() (last time.Duration) {
	for _, l := range r.lives {
		last = max(last, l.Started)
	}
	return last
}

// used is the share that was used of what others leave of the quota, over some
// whole seconds.
func (r report) used(o options, from, to time.Duration) string {
	first, end := int(from.Seconds()), min(int(to.Seconds()), len(r.done))
	if end <= first {
		return "-"
	}
	n := r.done[end-1]
	if first > 0 {
		n -= r.done[first-1]
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(end-first)/(float64(o.quota)-o.others))
}

func ratio(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(a)/float64(b))
}

// quantiles of sorted durations: half, 95 % and all.
func quantiles(ds []time.Duration) string {
	if len(ds) == 0 {
		return "-"
	}
	at := func(q float64) time.Duration {
		return ds[min(len(ds)-1, int(q*float64(len(ds))))].Round(100 * time.Millisecond)
	}
	return fmt.Sprintf("%v, %v, %v", at(.5), at(.95), at(1))
}
