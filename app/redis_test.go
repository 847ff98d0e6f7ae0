package app_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// person is a token flow enrollment from start to end, over whatever replica.
func carryThrough(ctx context.Context, w *world.World, replicas []*world.World, user string, pause func()) error {
	token := w.Token(world.Optional, world.OptionalClient, user)
	r := replicas[0].Begin(token, nil)
	if r.Status/100 != 2 {
		return fmt.Errorf("start: %d %s", r.Status, r.Body)
	}
	pause()
	secret := r.JSON(w.T)["secret"].(string)
	r = replicas[1].Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
	if r.Status != 200 {
		return fmt.Errorf("verify: %d %s", r.Status, r.Body)
	}
	return ctx.Err()
}

func TestRedisKilledInTheMiddleLosesNobody(t *testing.T) {
	t.Parallel()
	server := world.StartRedis(t)
	settings := server.Settings()
	settings["COGNITO_WRITE_RPS"] = "1000"
	w := world.NewWith(t, world.Crowd(200), settings)
	other := w.Replica(settings)
	var half sync.WaitGroup
	half.Add(200)
	killed := make(chan struct{})
	failures := make(chan error, 200)
	var all sync.WaitGroup
	slots := make(chan struct{}, 20)
	for i := range 200 {
		all.Go(func() {
			// Twenty at a time talk; all have started before Redis dies.
			slots <- struct{}{}
			err := carryThrough(t.Context(), w, []*world.World{w, other}, world.Person(i), func() {
				<-slots
				half.Done()
				<-killed
				slots <- struct{}{}
			})
			<-slots
			failures <- err
		})
	}
	half.Wait()
	server.Kill()
	close(killed)
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Fatal(err)
		}
	}
	ready := other.Send("GET", other.Admin+"/readyz", nil)
	if ready.Status != 200 || !strings.Contains(string(ready.Body), "Redis") {
		t.Errorf("readyz: %d %s", ready.Status, ready.Body)
	}
	if got := other.Metric(`redis_errors_total{operation="hold",subsystem="pending"}`); got == "0" {
		t.Error("nothing was counted")
	}

	server.Restart()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		first := w.Begin(token, world.Object{"renew": true})
		second := other.Begin(token, nil)
		if second.Status == 200 && string(first.Body) == string(second.Body) {
			break
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("sharing never resumed")
		}
	}
}

func TestRedisAndTheLogHoldNothingInClear(t *testing.T) {
	t.Parallel()
	server := world.StartRedis(t)
	w := world.New(t, server.Settings())
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	byToken := w.Begin(token, nil).JSON(t)
	bySession := w.Begin("", world.Object{"session": session}).JSON(t)
	code := w.WrongCode(byToken["secret"].(string))
	w.Verify(token, world.Object{"code": code})
	w.Verify("", world.Object{"session": session, "code": code})
	dump := server.Values()
	if len(dump) < 3 {
		t.Fatalf("Redis holds %d entries", len(dump))
	}
	var everything strings.Builder
	for key, value := range dump {
		everything.WriteString(key + "\n" + value + "\n")
	}
	everything.WriteString(w.Log.String())
	for name, secret := range map[string]string{
		"token": token, "session": session, "next session": bySession["session"].(string), "secret": byToken["secret"].(string),
		"other secret": bySession["secret"].(string), "link": byToken["otpauthUri"].(string), "code": code, "subject": w.Cognito.Subject(world.Optional, "ada"),
	} {
		for encoding, hidden := range map[string]string{
			"clear": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret))[:min(8, len(secret))], "hex": hex.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(everything.String(), hidden) && (encoding != "base64" || len(secret) > 8) {
				t.Errorf("the %s is there in %s", name, encoding)
			}
		}
	}
}

func TestASwappedOrAlteredEntryIsRefusedAndCounted(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(values map[string]string, mine, theirs string) string{
		"swapped": func(values map[string]string, _, theirs string) string { return values[theirs] },
		"altered": func(values map[string]string, mine, _ string) string {
			b := []byte(values[mine])
			b[len(b)/2] ^= 1
			return string(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := world.StartRedis(t)
			w := world.New(t, server.Settings())
			other := w.Replica(server.Settings())
			ada, linus := w.Token(world.Optional, world.OptionalClient, "ada"), w.Token(world.Optional, world.OptionalClient, "linus")
			first := w.Begin(ada, nil)
			mine := only(t, server.Values(), nil)
			w.Begin(linus, nil)
			dump := server.Values()
			theirs := only(t, dump, []string{mine})
			if err := server.Admin.Set(t.Context(), mine, spoil(dump, mine, theirs), time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			r := other.Begin(ada, nil)
			if r.Status != 201 || string(r.Body) == string(first.Body) {
				t.Errorf("status %d: a spoiled entry was taken", r.Status)
			}
			if got := other.Metric(`pending_store_errors_total{operation="open"}`); got == "0" {
				t.Error("it was not counted")
			}
		})
	}
}

// only is the one entry's key beside those that are known.
func only(t *testing.T, dump map[string]string, known []string) string {
	t.Helper()
	for key := range dump {
		if strings.Contains(key, ":pending:person:") && (len(known) == 0 || key != known[0]) {
			return key
		}
	}
	t.Fatalf("no entry in %d keys", len(dump))
	return ""
}

func TestADoubleClickOnVerifyAtTwoReplicasCountsOnce(t *testing.T) {
	t.Parallel()
	redis := world.StartRedis(t)
	w := world.NewWith(t, world.Crowd(20), redis.Settings())
	other := w.Replica(redis.Settings())
	w.Cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	for run := range 20 {
		token := w.Token(world.Optional, world.OptionalClient, world.Person(run))
		secret := w.Begin(token, nil).JSON(t)["secret"].(string)
		code := w.CodeAt(secret, 0)
		verifies, preferences := w.Cognito.Calls("VerifySoftwareToken"), w.Cognito.Calls("SetUserMFAPreference")
		for i, r := range world.Together(10, func(i int) world.Reply {
			return []*world.World{w, other}[i%2].Verify(token, world.Object{"code": code})
		}) {
			if r.Status != 200 || r.JSON(t)["outcome"] != "enabled" {
				t.Fatalf("run %d, click %d: %d %s", run, i, r.Status, r.Body)
			}
		}
		verifies, preferences = w.Cognito.Calls("VerifySoftwareToken")-verifies, w.Cognito.Calls("SetUserMFAPreference")-preferences
		if verifies != 1 || preferences != 1 {
			t.Fatalf("run %d: VerifySoftwareToken was called %d times, SetUserMFAPreference %d times", run, verifies, preferences)
		}
		// Who comes a moment later gets the same answer, and later Cognito judges.
		asked := w.Cognito.Calls("VerifySoftwareToken")
		if r := other.Verify(token, world.Object{"code": code}); r.Status != 200 || w.Cognito.Calls("VerifySoftwareToken") != asked {
			t.Fatalf("run %d, a moment later: %d %s", run, r.Status, r.Body)
		}
		w.Clock.Advance(20 * time.Second)
		before := w.Cognito.Calls("VerifySoftwareToken")
		w.Verify(token, world.Object{"code": code})
		if n := w.Cognito.Calls("VerifySoftwareToken") - before; n != 1 {
			t.Fatalf("run %d: %d calls for a code that comes afterwards", run, n)
		}
		if r := other.Begin(token, nil); r.Status != 201 {
			t.Fatalf("run %d, another phone: %d %s", run, r.Status, r.Body)
		}
	}
}

// Each round trip to Redis that a request makes, by subsystem. How many of them
// wait for each other is in internal/enroll (steps_test.go).
func TestRoundTripsToRedis(t *testing.T) {
	t.Parallel()
	redis := world.StartRedis(t)
	w := world.NewWith(t, world.Crowd(1), redis.Settings())
	trips := func() (n [3]int) {
		for i, subsystem := range []string{"pending", "limit", "quota"} {
			var err error
			if n[i], err = strconv.Atoi(w.Metric(`redis_request_duration_seconds_count{subsystem="` + subsystem + `"}`)); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	token := w.Token(world.Optional, world.OptionalClient, world.Person(0))
	start := func() world.Reply { return w.Begin(token, nil) }
	secret := start().JSON(t)["secret"].(string) // The first time the scripts are sent as well.
	for _, test := range []struct {
		request string
		want    [3]int // pending, limit, quota
		do      func() world.Reply
	}{
		{"a start that finds a pending enrollment", [3]int{1, 0, 0}, start},
		{"another secret", [3]int{3, 2, 1}, func() world.Reply {
			r := w.Begin(token, world.Object{"renew": true})
			secret = r.JSON(t)["secret"].(string)
			return r
		}},
		{"a wrong code", [3]int{2, 0, 0}, func() world.Reply { return w.Verify(token, world.Object{"code": w.WrongCode(secret)}) }},
		{"a right code", [3]int{2, 2, 2}, func() world.Reply { return w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}) }},
		{"the status", [3]int{0, 2, 0}, func() world.Reply { return w.Do(world.Request{Path: "/v1/mfa", Token: token}) }},
	} {
		before := trips()
		r := test.do()
		after := trips()
		for i := range after {
			after[i] -= before[i]
		}
		if after != test.want {
			t.Errorf("%s (%d) makes %v round trips for pending, limit and quota, want %v", test.request, r.Status, after, test.want)
		}
	}
}
