package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// candidate is one way to a new TOTP secret, and what was measured of it.
type candidate struct {
	name    string
	program program // its path is empty where there is no process
	whole   bool    // does it make the QR code, too
	caller  *caller
	process *process

	cpu, steadyCPU, p50, p99, ready []float64 // a round each: µs, µs, µs, µs, ms
	requests                        int
}

// bench is the stub of Cognito and the candidates that call it.
type bench struct {
	folder string // of the binaries
	stub   *process
	tokens []string
}

func newBench(ctx context.Context, folder string, people int) (*bench, error) {
	for name, source := range map[string][2]string{
		"service": {"..", "./cmd/api"}, "naive": {".", "./naive"}, "proxy": {".", "./proxy"}, "stub": {".", "./stub"},
	} {
		if err := build(ctx, source[0], source[1], filepath.Join(folder, name)); err != nil {
			return nil, fmt.Errorf("building %s: %w", name, err)
		}
	}
	s, err := newSigner()
	if err != nil {
		return nil, err
	}
	keys, err := s.keySet()
	if err != nil {
		return nil, err
	}
	b := &bench{folder: folder}
	if b.tokens, err = s.tokens(people); err != nil {
		return nil, err
	}
	b.stub, err = program{path: filepath.Join(folder, "stub"), env: []string{"JWKS=" + keys}, ready: "/"}.start(ctx)
	return b, err
}

// service is the real one, with its default configuration but for a quota that
// does not stand in the way, and the label taken from the token.
func (b *bench) service(more ...string) program {
	return program{
		path: filepath.Join(b.folder, "service"), ready: "/readyz", admin: "ADMIN_ADDR",
		env: append([]string{
			"COGNITO_ENDPOINT=http://" + b.stub.addr, "COGNITO_USER_POOL_IDS=" + pool, "COGNITO_CLIENT_IDS=" + client,
			"TOTP_ISSUER=Acme Corp.", "ACCOUNT_LABEL=username", "COGNITO_WRITE_RPS=10000",
		}, more...),
	}
}

// candidates are what is measured side by side.
func (b *bench) candidates() []*candidate {
	return []*candidate{
		{name: "this service", whole: true, program: b.service()},
		{name: "this service, keeping nothing", whole: true, program: b.service("PENDING_TTL=0")},
		{name: "the naive Go service", whole: true, program: program{
			path: filepath.Join(b.folder, "naive"), ready: "/readyz",
			env: []string{"COGNITO_ENDPOINT=http://" + b.stub.addr, "COGNITO_USER_POOL_ID=" + pool, "COGNITO_CLIENT_ID=" + client, "TOTP_ISSUER=Acme Corp."},
		}},
		{name: "a bare reverse proxy", program: program{
			path: filepath.Join(b.folder, "proxy"), ready: "/", env: []string{"COGNITO_ENDPOINT=http://" + b.stub.addr},
		}},
		{name: "no one: straight to Cognito"},
	}
}

// start runs the candidates and makes their callers.
func (b *bench) start(ctx context.Context, all []*candidate) error {
	for _, c := range all {
		addr := b.stub.addr
		if c.program.path != "" {
			var err error
			if c.process, err = c.program.start(ctx); err != nil {
				return err
			}
			addr = c.process.addr
		}
		if c.whole {
			c.caller = newCaller(b.tokens, http.StatusCreated, "data:image/png;base64,", startTotp("http://"+addr))
		} else {
			c.caller = newCaller(b.tokens, http.StatusOK, "SecretCode", associate("http://"+addr))
		}
	}
	return nil
}

// startTotp asks for an enrollment, for a new one each time: Cognito is called,
// and nothing is answered from what is pending.
func startTotp(base string) func(string) (*http.Request, error) {
	return post(base+"/v1/mfa/totp", `{"renew":true}`)
}

// verifyTotp finishes one. The code fits no secret of the stub's; with nothing
// pending, the stub alone judges it.
func verifyTotp(base string) func(string) (*http.Request, error) {
	return post(base+"/v1/mfa/totp/verify", `{"code":"123456","deviceName":"phone"}`)
}

func post(url, body string) func(string) (*http.Request, error) {
	return func(token string) (*http.Request, error) {
		r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		return r, nil
	}
}

// associate is the call to Cognito that an enrollment begins with.
func associate(base string) func(string) (*http.Request, error) {
	return func(token string) (*http.Request, error) {
		r, err := http.NewRequest(http.MethodPost, base, bytes.NewReader([]byte(`{"AccessToken":"`+token+`"}`)))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.AssociateSoftwareToken")
		return r, nil
	}
}

// spent is the processor time that the candidate's process spends on a request,
// in microseconds, while do makes some.
func (c *candidate) spent(do func() (int, error)) (float64, error) {
	if c.process == nil {
		_, err := do()
		return 0, err
	}
	before, err := c.process.cpu()
	if err != nil {
		return 0, err
	}
	n, err := do()
	if err != nil {
		return 0, err
	}
	after, err := c.process.cpu()
	return float64((after - before).Microseconds()) / float64(n), err
}

// full makes requests at full load.
func (c *candidate) full(ctx context.Context, n int, longest time.Duration) (cpu float64, err error) {
	return c.spent(func() (int, error) {
		done, err := c.caller.busy(ctx, n, longest)
		c.requests += done
		return done, err
	})
}

// steady makes requests at the fixed rate.
func (c *candidate) steady(ctx context.Context, n, rate int) error {
	cpu, err := c.spent(func() (int, error) {
		took, err := c.caller.steady(ctx, n, rate)
		times := make([]float64, len(took))
		for i, t := range took {
			times[i] = float64(t.Nanoseconds()) / 1e3
		}
		c.p50, c.p99 = append(c.p50, percentile(times, 50)), append(c.p99, percentile(times, 99))
		c.requests += n
		return n, err
	})
	c.steadyCPU = append(c.steadyCPU, cpu)
	return err
}

// size is the binary's, in MiB.
func (c *candidate) size() (float64, error) {
	info, err := os.Stat(c.program.path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / (1 << 20), nil
}
