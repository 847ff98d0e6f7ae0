package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/world"
)

const eventsSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// told is somebody who gets events.
type told struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	events []world.Object
}

func startTold(t *testing.T) *told {
	t.Helper()
	r := &told{t: t}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *told) settings() map[string]string {
	return map[string]string{"EVENTS_URL": r.url, "EVENTS_SECRETS": eventsSecret}
}

func (r *told) ServeHTTP(_ http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	webhook, err := standardwebhooks.NewWebhook(eventsSecret)
	if err != nil {
		r.t.Error(err)
	}
	// The tests' clock stands still in another year.
	if err := webhook.VerifyIgnoringTimestamp(body, request.Header); err != nil {
		r.t.Errorf("the library refuses the signature: %v", err)
	}
	var event world.Object
	if err := json.Unmarshal(body, &event); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

// so far are the events that came, as "type flow who".
func (r *told) soFar() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		data := e["data"].(world.Object)
		who := "verified"
		if data["verified"] == false {
			who = "claimed " + data["clientId"].(string) + " " + data["username"].(string)
		}
		list = append(list, strings.TrimPrefix(e["type"].(string), "mfa-enrollment.")+" "+data["flow"].(string)+" "+who)
	}
	return list
}

// expect waits until as many events came as are wanted, and holds them against it.
func (r *told) expect(w *world.World, want ...string) {
	r.t.Helper()
	w.Await("all events came", func() bool { return len(r.soFar()) >= len(want) })
	if got := r.soFar(); !slices.Equal(got, want) {
		r.t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func prefer(w *world.World, token string, enabled bool) world.Reply {
	return w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": enabled}})
}

func TestASignedInPersonIsToldOfEveryChange(t *testing.T) {
	t.Parallel()
	r := startTold(t)
	w := world.New(t, r.settings())
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	w.Verify(token, world.Object{"code": w.WrongCode(secret)}) // Nothing happened.
	w.Verify(token, world.Object{"code": w.CodeAt(secret, 0), "deviceName": "Ada's\tphone " + strings.Repeat("x", 100)})
	prefer(w, token, false)
	prefer(w, token, true)
	w.Clock.Advance(time.Minute)
	w.Enrolled(token)
	want := []string{
		"app.enrolled token verified", "app.switched_off token verified", "app.switched_on token verified", "app.replaced token verified",
	}
	r.expect(w, want...)
	first := r.events[0]
	data := first["data"].(world.Object)
	if data["poolId"] != world.Optional || data["subject"] == "" || first["subject"] != world.Optional+"/"+data["subject"].(string) || data["clientId"] != world.OptionalClient ||
		data["address"] != "127.0.0.1" || data["deviceName"] != "Ada's phone "+strings.Repeat("x", 52) || first["time"] != "2026-05-04T12:00:15Z" {
		t.Errorf("the first event: %v", first)
	}
	for i, series := range map[string]string{
		"4": `events_attempts_total{result="delivered"}`, "1": `events_total{type="app.replaced"}`, "0": "events_waiting",
	} {
		w.AwaitMetric(series, i)
	}
}

// During a sign-in only the tokens say who it is.
func TestAPersonWhoSignsInIsToldByTheTokens(t *testing.T) {
	t.Parallel()
	r := startTold(t)
	w := world.New(t, r.settings())
	begin := func(user string) (session any, code string) {
		e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, user)}).JSON(t)
		return e["session"], w.CodeAt(e["secret"].(string), 0)
	}
	// In one call.
	session, code := begin("ada")
	body := world.Object{"session": session, "code": code, "username": "ada", "clientId": world.RequiredClient}
	signedIn := 0
	for _, reply := range world.Together(2, func(int) world.Reply { return w.Verify("", body) }) { // A double click.
		switch reply.Status {
		case 200:
			signedIn++
		case 410: // On a slow machine the second comes when the first has its answer.
		default:
			t.Fatalf("status %d: %s", reply.Status, reply.Body)
		}
	}
	if signedIn == 0 {
		t.Fatal("nobody is signed in")
	}
	r.expect(w, "app.enrolled session verified")
	// In two calls: the first names nobody.
	session, code = begin("grace")
	session = w.Verify("", world.Object{"session": session, "code": code}).JSON(t)["session"]
	w.Answer(world.Object{"challenge": "MFA_SETUP", "session": session, "username": "grace", "clientId": world.RequiredClient})
	r.expect(w, "app.enrolled session verified", "app.enrolled session verified")
	// The sign-in stays open.
	session, code = begin("linus")
	w.Failing("RespondToAuthChallenge", cognitotest.Fault{Exception: "InternalErrorException"}, func() world.Reply {
		return w.Verify("", world.Object{"session": session, "code": code, "username": "linus", "clientId": world.RequiredClient})
	})
	r.expect(w, "app.enrolled session verified", "app.enrolled session verified", "app.enrolled session claimed demo-required linus")
	subjects := map[any]bool{}
	for _, e := range r.events[:2] {
		subjects[e["subject"]] = true
		if e["data"].(world.Object)["poolId"] != world.Required {
			t.Errorf("the pool is not told: %v", e)
		}
	}
	if len(subjects) != 2 || r.events[2]["subject"] != nil {
		t.Errorf("whom they are about: %v, %v", subjects, r.events[2])
	}
}

func TestWithoutAReceiverTheSeriesOfEventsAreThere(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	all := []string{`events_dropped_total{reason="full"}`, "events_waiting", "events_oldest_seconds", "events_receiver_gone"}
	for _, what := range enroll.EventTypes() {
		all = append(all, `events_total{type="`+string(what)+`"}`)
	}
	for _, series := range all {
		if got := w.Metric(series); got != "0" {
			t.Errorf("%s is %q where nobody is told", series, got)
		}
	}
}

// What people do does not wait for events: 30 enrollments each, without events, with
// a receiver that is well, and with one that never answers while Redis is killed.
func TestEnrollmentsDoNotWaitForEvents(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body) // Only then is it noticed that the connection is cut.
		<-request.Context().Done()
	}))
	t.Cleanup(func() { hangs.CloseClientConnections(); hangs.Close() })
	well := startTold(t)
	for _, c := range []struct {
		name, url string
		kill      bool
	}{
		{"no events", "", false},
		{"a receiver that is well", well.url, false},
		{"a receiver that hangs, and Redis is killed", hangs.URL, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			const people = 30
			redis := world.StartRedis(t)
			settings := redis.Settings()
			settings["COGNITO_WRITE_RPS"] = "10000"
			if c.url != "" {
				settings["EVENTS_URL"], settings["EVENTS_SECRETS"] = c.url, eventsSecret
			}
			w := world.NewWith(t, world.Crowd(people), settings)
			var took []time.Duration
			for i := range people {
				if c.kill && i == people/2 {
					redis.Kill()
				}
				token := w.Token(world.Optional, world.OptionalClient, world.Person(i))
				begin := time.Now()
				w.Enrolled(token)
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			t.Logf("start and verify: p50 %.1f ms, p95 %.1f ms", took[people/2].Seconds()*1e3, took[people*95/100].Seconds()*1e3)
			if c.kill {
				if got := w.Metric("events_waiting"); got != "30" {
					t.Errorf("%s events wait, want 30", got)
				}
			}
		})
	}
}
