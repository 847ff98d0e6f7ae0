package cognito

import (
	"crypto/tls"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// answering is a Cognito whose clock is off by some time and that takes a while to
// answer.
type answering struct {
	off, takes time.Duration
	change     func(*http.Response)
	fails      bool
}

func (a *answering) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(a.takes / 2)
	date := time.Now().Add(a.off).UTC().Format(http.TimeFormat)
	time.Sleep(a.takes / 2)
	if a.fails {
		return nil, errors.New("connection refused")
	}
	answer := &http.Response{Header: http.Header{"Date": {date}}, TLS: &tls.ConnectionState{}, Body: http.NoBody}
	if a.change != nil {
		a.change(answer)
	}
	return answer, nil
}

// ask makes n calls.
func ask(c *Clock, a *answering, n int) {
	for range n {
		if answer, err := c.Transport(a).RoundTrip(&http.Request{}); err == nil {
			_ = answer.Body.Close()
		}
	}
}

func TestTheOffsetIsLearnedFromTheDatesOfAnswers(t *testing.T) {
	for name, test := range map[string]struct{ off, takes time.Duration }{
		"75 seconds ahead":       {75 * time.Second, 40 * time.Millisecond},
		"75 seconds behind":      {-75 * time.Second, 40 * time.Millisecond},
		"an hour ahead":          {time.Hour, 40 * time.Millisecond},
		"an hour behind":         {-time.Hour, 40 * time.Millisecond},
		"with a slow round trip": {30 * time.Second, 4 * time.Second},
		"to a day":               {24*time.Hour - time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := NewClock(time.Now, false)
				if now := c.Now(); !now.Equal(time.Now()) {
					t.Errorf("before any answer it is %v", now)
				}
				for n := range clockSamples + 2 {
					ask(c, &answering{off: test.off, takes: test.takes}, 1)
					want := time.Now().Add(test.off)
					if got := c.Now(); got.Sub(want).Abs() > time.Second {
						t.Errorf("after %d answers it is %v off", n+1, got.Sub(want))
					}
				}
			})
		})
	}
}

func TestWhatDoesNotTellTheTimeIsLeftOut(t *testing.T) {
	for name, a := range map[string]*answering{
		"from a cache":             {change: func(r *http.Response) { r.Header.Set("Age", "0") }},
		"not over TLS":             {change: func(r *http.Response) { r.TLS = nil }},
		"without a date":           {change: func(r *http.Response) { r.Header.Del("Date") }},
		"with a date that is none": {change: func(r *http.Response) { r.Header.Set("Date", "yesterday") }},
		"after six seconds":        {takes: 6 * time.Second},
		"no answer":                {fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := NewClock(time.Now, false)
				a.off = time.Hour
				ask(c, a, clockSamples)
				if offset := c.Offset(); offset != 0 {
					t.Errorf("an offset of %v", offset)
				}
			})
		})
	}
}

// Somebody must set that clock, and so the metric tells; the tokens and codes of
// a day ago must not be good again.
func TestAnOffsetOfMoreThanADayIsShownAndNotCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, off := range []time.Duration{25 * time.Hour, -25 * time.Hour} {
			c := NewClock(time.Now, false)
			ask(c, &answering{off: off}, clockSamples)
			if offset := c.Offset(); (offset - off).Abs() > time.Second {
				t.Errorf("an offset of %v, want %v", offset, off)
			}
			if now := c.Now(); !now.Equal(time.Now()) {
				t.Errorf("the time is off by %v", time.Until(now))
			}
		}
	})
}

func TestAConfiguredEndpointIsBelievedWithoutTLS(t *testing.T) {
	c := NewClock(time.Now, true)
	ask(c, &answering{off: time.Hour, change: func(r *http.Response) { r.TLS = nil }}, 1)
	if offset := c.Offset(); (offset - time.Hour).Abs() > time.Second {
		t.Errorf("an offset of %v", offset)
	}
}

func TestTwoWrongAnswersOfFiveChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Now, false)
		ask(c, &answering{}, 3)
		ask(c, &answering{off: time.Hour}, 2)
		if now := c.Now(); !now.Equal(time.Now()) {
			t.Errorf("the time is off by %v", time.Until(now))
		}
		ask(c, &answering{off: time.Hour}, 1)
		if offset := c.Offset(); (offset - time.Hour).Abs() > time.Second {
			t.Errorf("an offset of %v after three of five", offset)
		}
	})
}

// Where as many answers say one thing as another, the own clock is one more witness.
func TestHalfOfTheAnswersWrongChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, off := range []time.Duration{time.Hour, -time.Hour} {
			for n := range clockSamples / 2 {
				c := NewClock(time.Now, false)
				ask(c, &answering{}, n+1)
				ask(c, &answering{off: off}, n+1)
				if now := c.Now(); !now.Equal(time.Now()) {
					t.Errorf("%d of %d are %v off: so is the time, by %v", n+1, 2*n+2, off, time.Until(now))
				}
			}
		}
	})
}

// Date has whole seconds: a clock that is right must not be moved by them.
func TestAnOffsetUnderTwoSecondsIsShownAndNotCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Now, false)
		ask(c, &answering{off: 1400 * time.Millisecond}, 1)
		if offset := c.Offset(); offset < time.Second || offset > clockPrecision {
			t.Errorf("an offset of %v", offset)
		}
		if now := c.Now(); !now.Equal(time.Now()) {
			t.Errorf("the time is off by %v", time.Until(now))
		}
	})
}

// NTP that sets a wrong clock right would else make the corrected time wrong.
func TestAStepOfTheOwnClockForgetsWhatWasLearned(t *testing.T) {
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	own, passed := noon, time.Duration(0)
	c := NewClock(func() time.Time { return own }, false)
	c.elapsed = func(time.Time, time.Time) time.Duration { return passed }
	tell := func(cognito time.Time) {
		c.learn(&http.Response{Header: http.Header{"Date": {cognito.Format(http.TimeFormat)}}, TLS: &tls.ConnectionState{}}, own, own)
	}
	for range clockSamples {
		tell(noon.Add(75 * time.Second))
	}
	own, passed = noon.Add(time.Minute), time.Minute // A minute later all is as before.
	if offset := c.Offset(); (offset - 75*time.Second).Abs() > time.Second {
		t.Fatalf("an offset of %v", offset)
	}
	own = own.Add(75 * time.Second) // The clock is set right.
	if now := c.Now(); !now.Equal(own) {
		t.Errorf("after the step the time is off by %v", now.Sub(own))
	}
	passed = 0
	tell(own.Add(-10 * time.Second)) // One answer is enough again.
	if offset := c.Offset(); (offset + 10*time.Second).Abs() > time.Second {
		t.Errorf("an offset of %v after the next answer", offset)
	}
}
