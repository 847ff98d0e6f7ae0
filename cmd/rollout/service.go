package main

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/internal/quota/crowd"
)

// service is the replicas of the service in front of one Cognito.
type service struct {
	cognito  *standIn
	replicas []*app.App
	client   *http.Client
}

// newService starts the replicas.
func newService(ctx context.Context, o options, cognito *standIn) (*service, error) {
	s := &service{cognito: cognito, client: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 1000},
	}}
	seal := make([]byte, 32)
	if _, err := crand.Read(seal); err != nil {
		return nil, err
	}
	environment := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "TRUSTED_PROXIES": "127.0.0.1",
		"COGNITO_ENDPOINT": cognito.url, "COGNITO_USER_POOL_IDS": poolID, "COGNITO_CLIENT_IDS": clientID,
		"COGNITO_WRITE_RPS": strconv.Itoa(o.quota), "TOTP_ISSUER": "Rollout",
		"REDIS_URL": o.redis, "SEAL_KEYS": base64.StdEncoding.EncodeToString(seal),
	}
	config, err := app.LoadConfig(func(name string) string { return environment[name] })
	if err != nil {
		return nil, err
	}
	for range o.replicas {
		replica, err := app.New(config, app.Options{Build: app.Build()})
		if err == nil {
			err = replica.Start(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		s.replicas = append(s.replicas, replica)
	}
	return s, nil
}

func (s *service) stop() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, replica := range s.replicas {
		err = errors.Join(err, replica.Stop(ctx))
	}
	return err
}

// page is the front end of the service as the person with this number has it.
func (s *service) page(o options, i int) crowd.Page {
	p := &servicePage{service: s, user: username(i), bySession: o.flow == "session", address: "192.0.2.1", rand: rand.New(rand.NewPCG(o.seed, uint64(i)))} //nolint:gosec // A rehearsal is to be repeatable.
	if !o.oneOffice {
		p.address = fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
	}
	return p
}

// servicePage knows the API of the service and keeps what a page would.
type servicePage struct {
	*service
	user, address string
	bySession     bool

	mu             sync.Mutex // two clicks
	token, session string
	verified       bool // and not switched on yet
	rand           *rand.Rand
}

func (p *servicePage) SignIn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bySession {
		p.session = p.cognito.Session(poolID, clientID, p.user)
	} else {
		p.token = p.cognito.SignIn(poolID, clientID, p.user).AccessToken
	}
}

func (p *servicePage) Begin(ctx context.Context) (string, crowd.Result) {
	var reply struct{ Secret, Session string }
	body := map[string]any{}
	p.mu.Lock()
	if p.bySession {
		body["session"] = p.session
	}
	p.mu.Unlock()
	r := p.call(ctx, http.MethodPost, "/v1/mfa/totp", body, &reply)
	if r.Outcome == crowd.Done && p.bySession {
		p.mu.Lock()
		p.session = reply.Session
		p.mu.Unlock()
	}
	return reply.Secret, r
}

func (p *servicePage) Verify(ctx context.Context, code string) crowd.Result {
	p.mu.Lock()
	body, verified := map[string]any{"code": code}, p.verified
	if p.bySession {
		body["session"], body["username"], body["clientId"] = p.session, p.user, clientID
	}
	p.mu.Unlock()
	if verified {
		return p.call(ctx, http.MethodPut, "/v1/mfa/totp/preference", map[string]any{"enabled": true, "preferred": true}, nil)
	}
	return p.call(ctx, http.MethodPost, "/v1/mfa/totp/verify", body, nil)
}

// call makes a request of any replica, and reads its answer as a page
// should: by the code of a problem, and Retry-After.
func (p *servicePage) call(ctx context.Context, method, path string, body, reply any) crowd.Result {
	sent, err := json.Marshal(body)
	if err != nil {
		return crowd.Result{Outcome: crowd.Failed}
	}
	p.mu.Lock()
	replica := p.replicas[p.rand.IntN(len(p.replicas))]
	p.mu.Unlock()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+replica.Addr()+path, bytes.NewReader(sent))
	if err != nil {
		return crowd.Result{Outcome: crowd.Failed}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", p.address)
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return crowd.Result{Outcome: crowd.Failed}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 300 {
		if reply == nil {
			reply = &struct{}{}
		}
		if json.NewDecoder(response.Body).Decode(reply) != nil {
			return crowd.Result{Outcome: crowd.Failed}
		}
		return crowd.Result{Outcome: crowd.Done}
	}
	var problem struct{ Code string }
	_ = json.NewDecoder(response.Body).Decode(&problem)
	return p.problem(problem.Code, response.Header.Get("Retry-After"))
}

func (p *servicePage) problem(code, retryAfter string) crowd.Result {
	switch code {
	case "code_mismatch", "code_already_used":
		return crowd.Result{Outcome: crowd.WrongCode}
	case "enrollment_replaced", "no_pending_enrollment":
		return crowd.Result{Outcome: crowd.StartAgain}
	case "session_expired", "invalid_token":
		return crowd.Result{Outcome: crowd.SignInAgain}
	case "verified_not_enabled":
		p.mu.Lock()
		p.verified = true
		p.mu.Unlock()
	}
	if seconds, err := strconv.Atoi(retryAfter); err == nil {
		return crowd.Result{Outcome: crowd.ComeBack, Wait: time.Duration(seconds) * time.Second}
	}
	return crowd.Result{Outcome: crowd.Failed}
}
