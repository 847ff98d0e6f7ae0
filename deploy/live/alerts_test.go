package live

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/test/world"
)

// TestAlertsFireOnTheirFaults causes faults as a person would on the
// demonstration and waits for Prometheus to say so. Each fault has a service in a
// namespace of its own, since the rules keep namespaces apart; one Prometheus
// scrapes them all. What `for` asks is made short (see hastened); every window
// and threshold is as in production.
func TestAlertsFireOnTheirFaults(t *testing.T) {
	// lostRedis goes on while Redis is lost, or slow.
	lostRedis := func(s *service) {
		s.begin("ada")
		s.loseRedis()
		for range 5 {
			s.Begin(s.tokenOf("ada"), nil)
		}
	}
	tests := []struct {
		fault  string
		alerts []string
		start  func(t *testing.T) *service
		cause  func(*service) // once Prometheus has seen the service well
		look   string         // what the alert's section of the runbook leads to, as an expression
	}{
		{
			fault: "Cognito is gone", alerts: []string{"MfaAvailabilityBurnsFast", "MfaCognitoUnavailable", "MfaStartsFail"},
			cause: func(s *service) {
				tokens := []string{s.tokenOf("ada"), s.tokenOf("grace"), s.tokenOf("linus")}
				s.Cognito.Lose()
				for i := range 60 {
					s.Begin(tokens[i%len(tokens)], nil)
				}
			},
		},
		{
			fault: "nobody's code is right", alerts: []string{"MfaWrongCodes"},
			cause: func(s *service) {
				for _, user := range []string{"ada", "grace", "linus"} {
					secret := s.begin(user)
					for range 9 {
						s.refused(user, s.WrongCode(secret))
					}
				}
			},
		},
		{
			fault: "the clock is off", alerts: []string{"MfaClocksOff"},
			cause: func(s *service) {
				for _, user := range []string{"ada", "grace", "linus"} {
					secret := s.begin(user)
					for range 9 {
						s.refused(user, s.CodeAt(secret, 3*time.Minute))
					}
				}
			},
		},
		{
			fault: "the keys were never fetched", alerts: []string{"MfaNotReady"},
			start: func(t *testing.T) *service {
				// A port that is free now may be another test's stand-in soon.
				lost := httptest.NewServer(http.NotFoundHandler())
				t.Cleanup(lost.Close)
				return startService(t, map[string]string{"COGNITO_ENDPOINT": lost.URL})
			},
			cause: func(*service) {},
		},
		{
			fault: "the service is stopped", alerts: []string{"MfaDown"},
			cause: func(s *service) { s.Stop() },
		},
		{
			fault: "Redis is gone", alerts: []string{"MfaRedisLost"},
			start: func(t *testing.T) *service {
				redis := world.StartRedis(t)
				s := startService(t, redis.Settings())
				s.loseRedis = redis.Kill
				return s
			},
			cause: lostRedis,
		},
		{
			fault: "Redis is slow", alerts: []string{"MfaRedisLost"},
			start: func(t *testing.T) *service {
				redis := world.StartRedis(t)
				gate := redistest.NewGate(t, redis.Socket)
				settings := redis.Settings()
				settings["REDIS_URL"] = "redis://" + gate.Addr()
				s := startService(t, settings)
				s.loseRedis = func() { gate.Delay(400 * time.Millisecond) }
				return s
			},
			cause: lostRedis,
			look:  `histogram_quantile(0.95, sum by (namespace, le) (rate(redis_request_duration_seconds_bucket[2m]))) > 0.25`,
		},
		{
			fault: "others eat the quota", alerts: []string{"MfaQuotaRefused"},
			start: func(t *testing.T) *service { return startCrowd(t, world.Crowd(100), nil) },
			cause: func(s *service) {
				s.Cognito.SetQuota(cognitotest.Quota{UserResourceUpdate: 1})
				var all sync.WaitGroup
				for i := range 100 {
					all.Go(func() { s.Begin(s.tokenOf(world.Person(i)), nil) })
				}
				all.Wait()
			},
			look: `cognito_quota_rate < 25`,
		},
	}
	services, targets := make([]*service, len(tests)), map[string]string{}
	for i, test := range tests {
		if test.start == nil {
			test.start = func(t *testing.T) *service { return startService(t, nil) }
		}
		services[i] = test.start(t)
		targets[test.fault] = services[i].App.AdminAddr()
	}
	p := startPrometheus(t, targets)
	p.scrapes(t, 3)
	for _, test := range tests {
		for name := range p.firing(t, test.fault) {
			// Whether a scrape is answered in time is up to the machine.
			if name != "MfaDown" && !slices.Contains(test.alerts, name) {
				t.Errorf("%s fires before anything happened", name)
			}
		}
	}
	for i, test := range tests {
		test.cause(services[i])
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			eventually(t, "the alerts fire", func() bool {
				firing := p.firing(t, test.fault)
				return !slices.ContainsFunc(test.alerts, func(name string) bool { return !firing[name] })
			})
			if test.look == "" {
				return
			}
			eventually(t, "the runbook's look finds it", func() bool {
				found, err := p.query(t, test.look)
				if err != nil {
					t.Fatal(err)
				}
				return slices.ContainsFunc(found, func(s series) bool { return s.Metric["namespace"] == test.fault })
			})
		})
	}
	t.Logf("/api/v1/alerts says:\n%s", p.alerts(t))
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

// firing holds the names of the alerts that fire in a namespace.
func (p *prometheus) firing(t *testing.T, namespace string) map[string]bool {
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
		if a.State == "firing" && a.Labels["namespace"] == namespace {
			names[a.Labels["alertname"]] = true
		}
	}
	return names
}
