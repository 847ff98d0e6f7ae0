package budget

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pquerna/otp/totp"
)

// caller is a kind of caller: prepare does what comes before the attack and
// returns the credential of the i-th request.
type caller struct {
	name    string
	bySigns bool // signed in: a token; else a session
	// rate is how many requests come a second. Zero: sixteen at a time, each
	// after the reply to the one before.
	rate    float64
	prepare func(w *world) func(i int) credential
}

type credential struct{ token, session, from string }

const (
	hisAddress = "198.51.100.7"
	sixteen    = 16
)

func callers() []caller {
	one := func(token func(w *world) string) func(w *world) func(int) credential {
		return func(w *world) func(int) credential {
			t := token(w)
			return func(int) credential { return credential{token: t, from: hisAddress} }
		}
	}
	madeUp := func(from func(i int) string) func(i int) credential {
		return func(i int) credential {
			return credential{session: fmt.Sprintf("%s%06d", strings.Repeat("made-up", 6), i), from: from(i)}
		}
	}
	return []caller{
		{name: "fresh token", bySigns: true, prepare: one(func(w *world) string { return w.token("ada") })},
		{name: "stale token of somebody with an app", bySigns: true, prepare: one(func(w *world) string {
			token := w.token("ada")
			w.setUp(token)
			time.Sleep(20 * time.Minute)
			return token
		})},
		{name: "revoked token", bySigns: true, prepare: one(func(w *world) string {
			token := w.token("ada")
			w.revoke(token)
			return token
		})},
		{name: "another sign-in of somebody who enrolls", bySigns: true, prepare: one(func(w *world) string {
			w.send("ada", request{method: "POST", path: "/v1/mfa/totp", token: w.token("ada"), from: "203.0.113.1"})
			time.Sleep(time.Second) // auth_time counts seconds.
			return w.token("ada")
		})},
		{name: "one account with 100 sign-ins", bySigns: true, prepare: func(w *world) func(int) credential {
			tokens := make([]string, 100)
			for i := range tokens {
				tokens[i] = w.token("ada")
			}
			return func(i int) credential { return credential{token: tokens[i%len(tokens)], from: hisAddress} }
		}},
		{name: "100 revoked sign-ins of one account", bySigns: true, prepare: func(w *world) func(int) credential {
			tokens := make([]string, 100)
			for i := range tokens {
				tokens[i] = w.token("ada")
			}
			w.revoke(tokens[0])
			return func(i int) credential { return credential{token: tokens[i%len(tokens)], from: hisAddress} }
		}},
		{name: "made-up sessions from one address", prepare: func(*world) func(int) credential {
			return madeUp(func(int) string { return hisAddress })
		}},
		{name: "made-up sessions from a known address", prepare: func(w *world) func(int) credential {
			w.send("ada", request{method: "POST", path: "/v1/mfa/totp", from: hisAddress, body: map[string]any{"session": w.cognito.Session(pool, client, "ada")}})
			return madeUp(func(int) string { return hisAddress })
		}},
		{name: "made-up sessions from one /48", rate: 53, prepare: func(*world) func(int) credential {
			return madeUp(func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i%65536) })
		}},
		{name: "made-up sessions from 500 addresses", rate: 10_000. / 30, prepare: func(*world) func(int) credential {
			return madeUp(func(i int) string { return fmt.Sprintf("%d.%d.7.9", 11+i%500/250, i%250) })
		}},
	}
}

// setUp gives the bearer of a token a working authenticator app.
func (w *world) setUp(token string) {
	w.t.Helper()
	r := w.send("ada", request{method: "POST", path: "/v1/mfa/totp", token: token, from: "203.0.113.1"})
	secret, _ := r.body["secret"].(string)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	if r := w.send("ada", request{method: "POST", path: "/v1/mfa/totp/verify", token: token, from: "203.0.113.1", body: map[string]any{"code": code}}); r.status != 200 {
		w.t.Fatalf("ada is not set up: %d %v", r.status, r.body)
	}
}

// requestOf is one request of an operation, by the operationId of openapi.yaml,
// that asks for as much as it can. ok is false for an operation that it does not
// know.
func requestOf(operation string, c credential, i int) (r request, ok bool) {
	r = request{token: c.token, from: c.from}
	body := map[string]any{}
	switch operation {
	case "startTotp":
		r.method, r.path = "POST", "/v1/mfa/totp"
		body["renew"] = true
	case "verifyTotp":
		r.method, r.path = "POST", "/v1/mfa/totp/verify"
		body["code"] = fmt.Sprintf("%06d", i%1_000_000)
	case "getMfa":
		r.method, r.path = "GET", "/v1/mfa"
	case "getTotpQr":
		r.method, r.path = "GET", "/v1/mfa/totp/qr"
	case "setTotpPreference":
		r.method, r.path = "PUT", "/v1/mfa/totp/preference"
		body["enabled"] = false
	case "answerChallenge":
		r.method, r.path = "POST", "/v1/auth/challenge"
		body["challenge"], body["clientId"], body["username"], body["code"] = "SOFTWARE_TOKEN_MFA", client, "ada", "123456"
	default:
		return r, false
	}
	if c.session != "" {
		body["session"] = c.session
	}
	if r.method != "GET" {
		r.body = body
	}
	return r, true
}

// attack lets a caller do one operation until the returned function is called,
// which says how long it took.
func (w *world) attack(k caller, operation string) (stop func() time.Duration) {
	credentialOf, begin := k.prepare(w), time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{})
	step := func() {
		i := int(next.Add(1)) - 1
		r, _ := requestOf(operation, credentialOf(i), i)
		w.send(attacker, r)
	}
	isOver := func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	if k.rate > 0 {
		all.Go(func() {
			for !isOver() {
				all.Go(step)
				time.Sleep(time.Duration(float64(time.Second) / k.rate))
			}
		})
	} else {
		for range sixteen {
			all.Go(func() {
				for !isOver() {
					step()
				}
			})
		}
	}
	return func() time.Duration {
		took := time.Since(begin)
		close(over)
		all.Wait()
		return took
	}
}
