package enroll_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/standin"
)

// told is somebody who gets events.
type told struct {
	mu     sync.Mutex
	events []enroll.Event
}

func (r *told) Happened(e enroll.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// want holds the events so far, as "type flow who", against those that are wanted.
func (r *told) want(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, e := range r.events {
		who := "verified"
		if !e.Person.Verified() {
			who = "claimed " + e.Person.ClientID + " " + e.Person.Username
		}
		got = append(got, string(e.Type)+" "+string(e.Flow)+" "+who)
		if !slices.Contains(enroll.EventTypes(), e.Type) {
			t.Errorf("%s is not listed", e.Type)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// newTold makes flows of which somebody is told.
func newTold(t *testing.T) (*flows, *told) {
	t.Helper()
	r := &told{}
	f := newFlows(t, func(o *enroll.Options) { o.Events = r })
	f.options.Identify = f.verifier.Verify
	f.ready() // A person whose token cannot be read is told of as claimed.
	return f.replica(), r
}

func TestEveryChangeIsToldOfTheSignedInPerson(t *testing.T) {
	t.Parallel()
	f, r := newTold(t)
	ada := f.signedIn("ada")
	ada.ClientIP = "198.51.100.7"
	secret := f.start(ada).Secret
	_, err := f.verify(ada, f.wrongCode(secret)) // Nothing happened.
	wantKind(t, err, enroll.CodeMismatch)
	_, err = f.Verify(t.Context(), enroll.VerifyRequest{Credential: ada, Code: f.codeAt(secret, 0), DeviceName: "Ada's\tphone " + strings.Repeat("x", 100)})
	wantKind(t, err, "")
	f.prefer(ada, enroll.Preference{})
	f.prefer(ada, enroll.Preference{Enabled: true})
	f.clock.Advance(time.Minute)
	f.enrolled(ada)
	r.want(t, "app.enrolled token verified", "app.switched_off token verified", "app.switched_on token verified", "app.replaced token verified")
	first := r.events[0]
	want := enroll.Event{
		Type: enroll.AppEnrolled, At: f.clock.Now().Add(-time.Minute), Flow: enroll.FlowToken, Address: "198.51.100.7", DeviceName: "Ada's phone " + strings.Repeat("x", 52),
		Person: enroll.Person{PoolID: standin.Optional, Subject: f.cognito.Subject(standin.Optional, "ada"), ClientID: standin.OptionalClient},
	}
	if first != want {
		t.Errorf("the first event is %+v, want %+v", first, want)
	}
}

func TestAVerifiedAppThatIsNotSwitchedOnIsTold(t *testing.T) {
	t.Parallel()
	f, r := newTold(t)
	ada := f.signedIn("ada")
	code := f.codeAt(f.start(ada).Secret, 0)
	f.down("SetUserMFAPreference", 3)
	_, err := f.verify(ada, code)
	wantKind(t, err, enroll.VerifiedNotEnabled)
	f.prefer(ada, enroll.Preference{Enabled: true})
	r.want(t, "app.verified_not_enabled token verified", "app.switched_on token verified")
}

func TestWhatMayBeAnAttackIsTold(t *testing.T) {
	t.Parallel()
	f, r := newTold(t)
	victim := f.signedIn("ada")
	f.enrolled(victim)
	f.clock.Advance(16 * time.Minute) // older than a step-up allows
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: victim})
	wantKind(t, err, enroll.StepUpRequired)
	_, err = f.SetPreference(t.Context(), victim, enroll.Preference{})
	wantKind(t, err, enroll.StepUpRequired)
	f.clock.Advance(time.Minute)
	fresh := f.signedIn("ada")
	f.start(fresh)
	f.start(fresh)             // a reload
	f.start(f.signedIn("ada")) // another sign-in
	r.want(t,
		"app.enrolled token verified", "step_up.refused token verified", "step_up.refused token verified", "enrollment.other_sign_in token verified")
}

func TestTriesThatAreUsedUpAreToldOnceAWindow(t *testing.T) {
	t.Parallel()
	f, r := newTold(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	for range 12 {
		_, _ = f.verify(ada, f.wrongCode(secret))
	}
	e := f.start(f.signingIn("grace"))
	for range 11 {
		_, _ = f.finish(bySession(e.Session), "grace", f.wrongCode(e.Secret))
	}
	r.want(t, "code.tries_used_up token verified", "code.tries_used_up session claimed demo-required grace")
	if r.events[0].Person.Name() == r.events[1].Person.Name() || strings.Contains(r.events[1].Person.Name(), "grace") {
		t.Errorf("the names are %s and %s", r.events[0].Person.Name(), r.events[1].Person.Name())
	}
}

// During a sign-in only the tokens say who it is.
func TestWhoSignsInIsToldByTheTokens(t *testing.T) {
	t.Parallel()
	f, r := newTold(t)
	// In one call.
	e := f.start(f.signingIn("ada"))
	_, err := f.finish(bySession(e.Session), "ada", f.codeAt(e.Secret, 0))
	wantKind(t, err, "")
	// In two calls: the first names nobody.
	e = f.start(f.signingIn("grace"))
	v, err := f.verify(bySession(e.Session), f.codeAt(e.Secret, 0))
	wantKind(t, err, "")
	r.want(t, "app.enrolled session verified")
	f.wantSignedIn(setUp("grace", v.Session))
	// The sign-in stays open.
	e = f.start(f.signingIn("linus"))
	f.down("RespondToAuthChallenge", 1)
	_, err = f.finish(bySession(e.Session), "linus", f.codeAt(e.Secret, 0))
	wantKind(t, err, "")
	r.want(t, "app.enrolled session verified", "app.enrolled session verified", "app.enrolled session claimed demo-required linus")
	for i, user := range []string{"ada", "grace"} {
		if p := r.events[i].Person; p.PoolID != standin.Required || p.Subject != f.cognito.Subject(standin.Required, user) {
			t.Errorf("%s is told of as %+v", user, p)
		}
	}
}
