package enroll_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/cognito"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/token"
	"mfa-enrollment/metrics"
	"mfa-enrollment/test/standin"
)

// flows is the domain without HTTP: the real client of Cognito, over loopback to
// a stand-in, the verifier of its tokens, a store and limits in memory, and a
// clock that the test moves. It waits for no quota.
type flows struct {
	*enroll.Service
	t        *testing.T
	cognito  *standin.StandIn
	clock    *standin.Clock
	registry *prometheus.Registry
	verifier *token.Verifier
	options  enroll.Options
}

// newFlows makes one over the demonstration's pools. change may change the
// service's options, such as Store to enroll.NoStore{}.
func newFlows(t *testing.T, change ...func(*enroll.Options)) *flows {
	t.Helper()
	s := standin.Start(t, cognitotest.Options{})
	f := &flows{t: t, cognito: s, clock: s.Clock, registry: prometheus.NewRegistry()}
	m := metrics.New(f.registry, metrics.BuildInfo{})
	store, err := pending.NewMemory(pending.Options{Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	f.options = enroll.Options{
		Pool: cognito.NewClient(cognito.ClientOptions{
			Region: "us-east-1", Endpoint: s.URL, Transport: transport, Metrics: m, Now: f.clock.Now,
			ClientSecrets: map[string]enroll.Secret{standin.RequiredClient: standin.RequiredSecret},
		}),
		Store: store, Limiter: limit.NewMemory(f.clock.Now),
		Metrics: m, Logger: slog.New(slog.DiscardHandler), Now: f.clock.Now,
		Issuer: "Example", AccountLabel: "email", ClientIDs: []string{standin.OptionalClient, standin.RequiredClient},
		PendingTTL: 15 * time.Minute, AuthSessionValidity: 3 * time.Minute, StepUpMaxAge: 15 * time.Minute,
		WriteRPS: 25, WorkTimeout: 15 * time.Second,
	}
	for _, c := range change {
		c(&f.options)
	}
	f.Service = enroll.New(f.options)
	var pools []token.Pool
	for _, id := range []string{standin.Optional, standin.Required} {
		issuers, err := cognito.IssuersOf(id)
		if err != nil {
			t.Fatal(err)
		}
		pools = append(pools, token.Pool{
			ID: id, Issuers: []string{issuers.Original, issuers.Updated}, KeyURLs: []string{s.URL + "/" + id + "/.well-known/jwks.json"},
		})
	}
	f.verifier, err = token.New(token.Options{Pools: pools, ClientIDs: f.options.ClientIDs, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.verifier.Start(t.Context())
	return f
}

// replica is another process of the service over the same Cognito, store and
// limits.
func (f *flows) replica() *flows {
	other := *f
	other.Service = enroll.New(f.options)
	return &other
}

// signedIn is somebody of the optional pool, by a new access token.
func (f *flows) signedIn(user string) enroll.Credential {
	f.t.Helper()
	return f.bearer(f.cognito.SignIn(standin.Optional, standin.OptionalClient, user).AccessToken)
}

// minted is ada of the optional pool by an access token whose claims the test
// changes.
func (f *flows) minted(claims map[string]any) enroll.Credential {
	f.t.Helper()
	return f.bearer(f.cognito.Mint(standin.Optional, claims))
}

// bearer is whom an access token speaks for.
func (f *flows) bearer(accessToken string) enroll.Credential {
	f.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.verifier.Ready() != nil { // The keys are on their way.
		<-tick.C
	}
	id, err := f.verifier.Verify(f.t.Context(), accessToken)
	if err != nil {
		f.t.Fatal(err)
	}
	return enroll.Credential{Identity: &id}
}

// signingIn is somebody of the required pool, by the session of MFA_SETUP.
func (f *flows) signingIn(user string) enroll.Credential {
	f.t.Helper()
	return bySession(enroll.Secret(f.cognito.Session(standin.Required, standin.RequiredClient, user)))
}

// bySession is somebody of whom a session is all that is known.
func bySession(session enroll.Secret) enroll.Credential {
	return enroll.Credential{Session: session, Address: "198.51.100.7"}
}

// start starts or resumes an enrollment.
func (f *flows) start(c enroll.Credential) enroll.Enrollment {
	f.t.Helper()
	return f.startWith(enroll.StartRequest{Credential: c})
}

// renew starts an enrollment anew.
func (f *flows) renew(c enroll.Credential) enroll.Enrollment {
	f.t.Helper()
	return f.startWith(enroll.StartRequest{Credential: c, Renew: true})
}

func (f *flows) startWith(r enroll.StartRequest) enroll.Enrollment {
	f.t.Helper()
	e, err := f.Start(f.t.Context(), r)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// verify submits a code; by session it does not complete the sign-in.
func (f *flows) verify(c enroll.Credential, code enroll.Secret) (enroll.Verification, error) {
	f.t.Helper()
	return f.Verify(f.t.Context(), enroll.VerifyRequest{Credential: c, Code: code, Preferred: true})
}

// finish submits a code and completes the sign-in of somebody of the required pool.
func (f *flows) finish(c enroll.Credential, user string, code enroll.Secret) (enroll.Verification, error) {
	f.t.Helper()
	return f.Verify(f.t.Context(), enroll.VerifyRequest{
		Credential: c, Code: code, SignIn: &enroll.CompleteSignIn{Username: user, ClientID: standin.RequiredClient},
	})
}

// enrolled starts and verifies an enrollment by token and returns its secret.
func (f *flows) enrolled(c enroll.Credential) enroll.Secret {
	f.t.Helper()
	secret := f.renew(c).Secret
	if _, err := f.verify(c, f.codeAt(secret, 0)); err != nil {
		f.t.Fatal(err)
	}
	return secret
}

// codeAt is what an authenticator app shows whose clock is off by so much.
func (f *flows) codeAt(secret enroll.Secret, off time.Duration) enroll.Secret {
	f.t.Helper()
	code, err := totp.GenerateCode(secret.Reveal(), f.clock.Now().Add(off))
	if err != nil {
		f.t.Fatal(err)
	}
	return enroll.Secret(code)
}

// wrongCode is a code of no step within half an hour of now.
func (f *flows) wrongCode(secret enroll.Secret) enroll.Secret {
	f.t.Helper()
	near := map[enroll.Secret]bool{}
	for off := -30 * time.Minute; off <= 30*time.Minute; off += 30 * time.Second {
		near[f.codeAt(secret, off)] = true
	}
	for _, candidate := range []enroll.Secret{"000000", "111111", "222222", "333333", "444444", "555555"} {
		if !near[candidate] {
			return candidate
		}
	}
	f.t.Fatal("every candidate fits")
	return ""
}

// wantKind says that an error is of a kind; "" is none.
func wantKind(t *testing.T, err error, want enroll.Kind) {
	t.Helper()
	if got := enroll.KindOf(err); got != want {
		t.Errorf("the error is %q (%v), want %q", got, err, want)
	}
}
