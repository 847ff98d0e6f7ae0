package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/token"
)

const (
	// checkTimeout bounds a whole check.
	checkTimeout = 30 * time.Second
	// clockTolerance is how far the machine's clock may be off before a check says
	// so. The alert MfaServiceClockOff has the same.
	clockTolerance = 10 * time.Second
	// certificateSoon is how long before its end a certificate is told of.
	certificateSoon = 7 * 24 * time.Hour
)

// check is what `api check` prints: a line for each thing that was looked at.
type check struct {
	out    io.Writer
	now    func() time.Time
	failed bool
}

func (k *check) ok(what, found string) { k.line("ok", what, found) }

func (k *check) wrong(what, todo string) {
	k.failed = true
	k.line("wrong", what, todo)
}

func (k *check) line(verdict, what, says string) {
	_, _ = fmt.Fprintf(k.out, "%-8s %s: %s\n", verdict, what, says)
}

// Check looks at what a replica with this environment would need: the
// configuration, the keys of every user pool, the clock, Redis and the
// certificate. It returns 0, or 2 where something is wrong. It makes no call that
// counts against a quota of Cognito's, and writes one key to Redis, which expires
// after a second.
func Check(ctx context.Context, environ []string, now func() time.Time, stdout io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	k := &check{out: stdout, now: now}
	config, err := LoadConfig(lookup(environ))
	warnings := misspelled(environ)
	if err != nil {
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			k.wrong("configuration", fault)
		}
	} else {
		k.ok("configuration", "no fault")
		warnings = append(warnings, config.warnings()...)
	}
	for _, warning := range warnings {
		k.line("warning", "configuration", warning)
	}
	if err == nil {
		k.keys(ctx, config)
		k.redis(ctx, config)
		k.certificate(config)
	}
	if k.failed {
		return exitWrong
	}
	return exitSuccess
}

// keys fetches the keys of every pool, and learns the time from the answers.
func (k *check) keys(ctx context.Context, c Config) {
	pools, err := c.pools()
	if err != nil {
		k.wrong("configuration", err.Error())
		return
	}
	dated := &dated{next: http.DefaultTransport, now: k.now}
	verifier, err := token.New(token.Options{Pools: pools, ClientIDs: c.ClientIDs, Now: k.now, HTTPClient: &http.Client{Transport: dated}})
	if err != nil {
		k.wrong("configuration", err.Error())
		return
	}
	found := verifier.Fetch(ctx)
	for _, pool := range slices.Sorted(maps.Keys(found)) {
		if found[pool] == nil {
			k.ok("keys of "+pool, "fetched")
			continue
		}
		k.wrong("keys of "+pool, keysRemedy(found[pool]))
	}
	switch offset, known := dated.offset(); {
	case !known:
		k.wrong("clock", "Cognito did not answer, so nothing is known of it")
	case offset.Abs() > clockTolerance:
		k.wrong("clock", fmt.Sprintf("Cognito's is %+d s from this machine's; mend NTP on the machine", int(offset.Seconds())))
	default:
		k.ok("clock", fmt.Sprintf("Cognito's is %+d s from this machine's", int(offset.Seconds())))
	}
}

// keysRemedy says what to do about keys that could not be fetched.
func keysRemedy(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host name cannot be resolved; is the region right, and DNS reachable?"
	}
	if strings.Contains(err.Error(), "answered with status 4") {
		return "Cognito knows no such pool; mend its id in COGNITO_USER_POOL_IDS"
	}
	return "Cognito was not reached; look at the way out (NAT, NetworkPolicy, proxy)"
}

// redis asks Redis for every right that is needed.
func (k *check) redis(ctx context.Context, c Config) {
	if c.RedisURL == "" {
		k.ok("Redis", "none is configured: each replica remembers by itself, and has its own part of the quota")
		return
	}
	link, err := redislink.Open(c.RedisURL, redislink.Options{})
	if err != nil {
		k.wrong("Redis", err.Error())
		return
	}
	defer link.Close()
	problems := link.Check(ctx)
	for _, problem := range problems {
		k.wrong("Redis", problem)
	}
	if len(problems) == 0 {
		k.ok("Redis", "it answers, and grants what pending enrollments, limits, the quota and events need")
	}
}

// certificate reads the TLS files.
func (k *check) certificate(c Config) {
	if c.TLSCertFile == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		k.wrong("certificate", "TLS_CERT_FILE and TLS_KEY_FILE cannot be read")
		return
	}
	switch left := pair.Leaf.NotAfter.Sub(k.now()); {
	case left <= 0:
		k.wrong("certificate", "it has expired; renew it")
	case left < certificateSoon:
		k.line("warning", "certificate", "it ends "+pair.Leaf.NotAfter.UTC().Format(time.DateOnly)+"; renew it")
	default:
		k.ok("certificate", "it ends "+pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
}

// dated learns the time from the Date of what is answered. The service's own clock
// (cognito.Clock) passes over answers that are more than a day off; a check must
// tell of them.
type dated struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	known   bool
	learned time.Duration // Cognito's time minus this machine's
}

func (d *dated) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := d.now()
	answer, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil && answer.Header.Get("Age") == "" {
		half := d.now().Sub(sent) / 2
		d.mu.Lock()
		defer d.mu.Unlock()
		// Date was cut to whole seconds: half a second is missing, on average.
		d.known, d.learned = true, date.Add(time.Second/2).Sub(sent.Add(half))
	}
	return answer, nil
}

func (d *dated) offset() (offset time.Duration, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.learned.Round(time.Second), d.known
}
