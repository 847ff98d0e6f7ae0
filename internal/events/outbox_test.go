package events

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/seal"
	"mfa-enrollment/metrics"
)

func TestEveryEventComesOnceAndInOrder(t *testing.T) {
	for _, secret := range []string{oldSecret, newSecret} { // The receiver may know either during a rotation.
		r := &testReceiver{t: t, secret: secret}
		server := httptest.NewServer(r)
		b, c := newOutbox(t, server.URL, nil, nil)
		const people = 6
		each := len(enroll.EventTypes())
		for n := range each {
			for i := range people {
				b.Happened(happening(i, n))
			}
		}
		eventually(t, "all came", func() bool { return r.count() == people*each })
		closed(b)
		server.Close()
		order, often := r.taken()
		inOrder(t, order, each)
		for id, n := range often {
			if n != 1 {
				t.Errorf("%s came %d times", id, n)
			}
		}
		if got := c.String(); got != "delivered 48, happened 48" {
			t.Errorf("counted: %s", got)
		}
	}
}

// inOrder checks that each person's events are there and in order.
func inOrder(t testing.TB, order []delivery, each int) {
	t.Helper()
	next := map[string]int{}
	for _, d := range order {
		want := typePrefix + string(enroll.EventTypes()[next[d.person]%len(enroll.EventTypes())])
		if d.eventType != want {
			t.Errorf("%s: event %d is %s, want %s", d.person, next[d.person], d.eventType, want)
		}
		next[d.person]++
	}
	for who, n := range next {
		if n != each {
			t.Errorf("%s: %d events, want %d", who, n, each)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	second := &testReceiver{t: t, secret: oldSecret}
	elsewhere := httptest.NewServer(second)
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		b, c := newOutbox(t, server.URL, nil, nil)
		b.Happened(happening(0, 0))
		eventually(t, "it was tried", func() bool { return c.of(metrics.EventRefused) == 1 })
		b.stop()
		closed(b)
		server.Close()
	}
	if n := second.count(); n != 0 {
		t.Errorf("%d events were sent on", n)
	}
}

func TestATimestampIsThatOfTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The library refuses a timestamp that is older than five minutes.
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(0, func(n int) int { return []int{500, 500, 500, 500, 500, 500, 500, 500, 500, 200}[n] })
		b, _ := newOutbox(t, "https://receiver.example/", r, nil)
		begin := time.Now()
		b.Happened(happening(0, 0))
		time.Sleep(2 * time.Hour)
		closed(b)
		order, _ := r.taken()
		if len(order) != 1 || order[0].at.Sub(begin) < 20*time.Minute {
			t.Errorf("delivered: %v", order)
		}
		for i, d := range r.got {
			t.Logf("attempt %d after %s", i+1, d.at.Sub(begin).Round(time.Second))
		}
	})
}

func TestAfterADayAnEventIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(0, func(int) int { return 503 })
		b, c := newOutbox(t, "https://receiver.example/", r, nil)
		b.Happened(happening(0, 0))
		time.Sleep(23*time.Hour + 50*time.Minute)
		if n, oldest := b.Waiting(); n != 1 || oldest < 23*time.Hour || c.of("dropped expired") != 0 {
			t.Errorf("given up early: %d wait, the oldest for %s", n, oldest)
		}
		time.Sleep(time.Hour)
		if n, _ := b.Waiting(); n != 0 || c.of("dropped expired") != 1 || !strings.Contains(c.logged(), "reason=expired type=app.enrolled id=evt_") {
			t.Errorf("%d wait; counted: %s; log: %s", n, c, c.logged())
		}
		t.Logf("%d attempts in a day", c.of(metrics.EventRefused))
		closed(b)
	})
}

func TestAReceiverThatIsGoneIsNotAskedAgainUntilTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(0, func(int) int { return 410 })
		b, c := newOutbox(t, "https://receiver.example/", r, nil)
		b.Happened(happening(0, 0))
		time.Sleep(time.Second)
		for i := range 20 {
			b.Happened(happening(i, 0))
		}
		time.Sleep(48 * time.Hour)
		if !b.Gone() || c.of(metrics.EventGone) != 1 || len(r.got) != 1 {
			t.Errorf("gone: %v, asked %d times: %s", b.Gone(), len(r.got), c)
		}
		if !strings.Contains(c.logged(), "level=ERROR") {
			t.Errorf("nobody is told: %s", c.logged())
		}
		closed(b)
		r.set(0, nil)
		b, _ = newOutbox(t, "https://receiver.example/", r, nil)
		b.Happened(happening(0, 1))
		time.Sleep(time.Second)
		closed(b)
		if r.count() != 1 || b.Gone() {
			t.Errorf("after a new start: %d events, gone %v", r.count(), b.Gone())
		}
	})
}

func TestWhatDoesNotFitIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(0, func(int) int { return 500 })
		b, c := newOutbox(t, "https://receiver.example/", r, nil)
		for n := range maxEach + 20 { // One person's.
			b.Happened(happening(0, n))
			time.Sleep(time.Millisecond)
		}
		if got := c.of("dropped full"); got != 20 {
			t.Errorf("%d did not fit, want 20", got)
		}
		for i := range maxInProcess { // Everybody's.
			b.Happened(happening(i+1, 0))
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(time.Second)
		if n, _ := b.Waiting(); n != maxInProcess || c.of("dropped full") != 20+maxEach {
			t.Errorf("%d wait: %s", n, c)
		}
		b.stop()
		closed(b)
		if got := c.of("dropped stopped"); got != maxInProcess {
			t.Errorf("%d were lost with the process", got)
		}
	})
}

// Nothing that a person does waits for events: neither for a receiver that hangs nor
// for a full queue.
func TestHappenedReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(time.Hour, nil)
		b, _ := newOutbox(t, "https://receiver.example/", r, nil)
		begin := time.Now()
		for i := range 5000 {
			b.Happened(happening(i, 0))
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("5,000 events took %s", took)
		}
		b.stop()
		closed(b)
	})
}

func TestWhatOnlyThisProcessHasIsSentBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(200*time.Millisecond, nil)
		b, c := newOutbox(t, "https://receiver.example/", r, nil)
		for i := range 40 {
			b.Happened(happening(i, 0))
		}
		closed(b)
		closed(b)
		b.Happened(happening(0, 0))
		if r.count() != 40 || c.of("dropped stopped") != 1 {
			t.Errorf("%d came: %s", r.count(), c)
		}
	})
}

func TestAnEventIsNotOpenedForAnotherPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		b, c := newOutbox(t, "https://receiver.example/", r, nil)
		i, k, err := b.seal(waitingEvent{happening(0, 0), time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"203.0.113.9", "phone", person(0).Subject, k.ID} {
			if strings.Contains(string(i.blob), part) {
				t.Errorf("what is kept shows %q", part)
			}
		}
		if _, err := b.sealer.Open(seal.Entry, i.person, i.blob); err == nil {
			t.Error("it opens as a pending enrollment")
		}
		i.person = person(1).Name()
		b.queue.put(t.Context(), i)
		b.look()
		time.Sleep(time.Second)
		closed(b)
		if r.count() != 0 || c.of("dropped unreadable") != 1 {
			t.Errorf("%d came: %s", r.count(), c)
		}
	})
}

func TestSecretsAreReadAsTheSpecificationWritesThem(t *testing.T) {
	for s, ok := range map[enroll.Secret]bool{
		oldSecret: true, newSecret: true,
		enroll.Secret("whsec_" + base64Of(make([]byte, 64))): true, enroll.Secret("whsec_" + base64Of(make([]byte, 65))): false,
		enroll.Secret("whsec_" + base64Of(make([]byte, 23))): false, enroll.Secret(base64Of(make([]byte, 32))): false,
		"whsec_": false, "": false, "whsec_####": false,
	} {
		if _, err := ParseSecret(s); (err == nil) != ok {
			t.Errorf("%q: %v", s.Reveal(), err)
		}
	}
}
