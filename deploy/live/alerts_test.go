package live

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"testing"
	"time"

	"mfa-enrollment/test/program"
)

// TestAlertsFireOnTheirFaults causes faults as a person would on the
// demonstration and waits for Prometheus to say so. What `for` asks is made
// short (see hastened); every window and threshold is as in production.
func TestAlertsFireOnTheirFaults(t *testing.T) {
	tests := []struct {
		fault  string
		alerts []string
		cause  func(t *testing.T) *service
		then   func(*service) // once Prometheus has seen the service well
	}{
		{
			fault: "Cognito is gone", alerts: []string{"MfaAvailabilityBurnsFast", "MfaCognitoUnavailable", "MfaStartsFail"},
			cause: func(t *testing.T) *service { return startService(t, nil) },
			then: func(s *service) {
				tokens := []string{s.tokenOf("ada"), s.tokenOf("grace"), s.tokenOf("linus")}
				s.lose()
				for i := range 60 {
					s.call(http.MethodPost, "/v1/mfa/totp", tokens[i%len(tokens)], nil)
				}
			},
		},
		{
			fault: "nobody's code is right", alerts: []string{"MfaWrongCodes"},
			cause: func(t *testing.T) *service { return startService(t, nil) },
			then: func(s *service) {
				for _, user := range []string{"ada", "grace", "linus"} {
					secret := s.begin(user)
					for range 9 {
						s.verify(user, s.wrong(secret))
					}
				}
			},
		},
		{
			fault: "the clock is off", alerts: []string{"MfaClocksOff"},
			cause: func(t *testing.T) *service { return startService(t, nil) },
			then: func(s *service) {
				for _, user := range []string{"ada", "grace", "linus"} {
					secret := s.begin(user)
					for range 9 {
						s.verify(user, s.code(secret, 3*time.Minute))
					}
				}
			},
		},
		{
			fault: "the keys were never fetched", alerts: []string{"MfaNotReady"},
			cause: func(t *testing.T) *service {
				// A port that is free now may be another test's stand-in soon.
				lost := httptest.NewServer(http.NotFoundHandler())
				t.Cleanup(lost.Close)
				return startService(t, map[string]string{"COGNITO_ENDPOINT": lost.URL})
			},
			then: func(*service) {},
		},
		{
			fault: "the service is stopped", alerts: []string{"MfaDown"},
			cause: func(t *testing.T) *service { return startService(t, nil) },
			then:  func(s *service) { s.stop() },
		},
		{
			fault: "Redis is gone", alerts: []string{"MfaRedisLost"},
			cause: func(t *testing.T) *service {
				redis, kill := startRedis(t)
				s := startService(t, map[string]string{
					"REDIS_URL": "redis://" + redis,
					"SEAL_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
				})
				s.loseRedis = kill
				return s
			},
			then: func(s *service) {
				s.begin("ada")
				s.loseRedis()
				for range 5 {
					s.call(http.MethodPost, "/v1/mfa/totp", s.tokenOf("ada"), nil)
				}
			},
		},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			s := test.cause(t)
			p := startPrometheus(t, s.app.AdminAddr())
			p.scrapes(t, 3)
			for name := range p.firing(t) {
				// Whether a scrape is answered in time is up to the machine.
				if name != "MfaDown" && !slices.Contains(test.alerts, name) {
					t.Errorf("%s fires before anything happened", name)
				}
			}
			test.then(s)
			eventually(t, "the alerts fire", func() bool {
				firing := p.firing(t)
				return !slices.ContainsFunc(test.alerts, func(name string) bool { return !firing[name] })
			})
			t.Logf("/api/v1/alerts says:\n%s", p.alerts(t))
		})
	}
}

// alerts is /api/v1/alerts.
func (p *prometheus) alerts(t *testing.T) []byte {
	t.Helper()
	_, body := p.get(t, "/api/v1/alerts", nil)
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return indented.Bytes()
}

// firing holds the names of the alerts that fire.
func (p *prometheus) firing(t *testing.T) map[string]bool {
	t.Helper()
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	if err := json.Unmarshal(p.alerts(t), &answer); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, a := range answer.Data.Alerts {
		if a.State == "firing" {
			names[a.Labels["alertname"]] = true
		}
	}
	return names
}

func (s *service) tokenOf(user string) string {
	return s.cognito.SignIn(optional, optionalClient, user).AccessToken
}

// begin starts an enrollment and returns its secret.
func (s *service) begin(user string) any {
	s.t.Helper()
	status, started := s.call(http.MethodPost, "/v1/mfa/totp", s.tokenOf(user), nil)
	s.want("start", http.StatusCreated, status)
	return started["secret"]
}

func (s *service) verify(user, code string) {
	s.t.Helper()
	status, _ := s.call(http.MethodPost, "/v1/mfa/totp/verify", s.tokenOf(user), object{"code": code})
	s.want("a code that is not right", http.StatusUnprocessableEntity, status)
}

// nobody is an address at which nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// startRedis runs a Redis of its own, and returns where it is and how to lose it.
func startRedis(t *testing.T) (addr string, kill func()) {
	t.Helper()
	binary := program.Find(t, "redis-server")
	addr = nobody(t)
	_, port, _ := net.SplitHostPort(addr)
	//nolint:gosec // The binary is found by name, as a person would.
	cmd := exec.CommandContext(t.Context(), binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	eventually(t, "Redis answers", func() bool {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	return addr, kill
}
