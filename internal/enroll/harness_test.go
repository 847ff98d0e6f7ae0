package enroll_test

import (
	"cmp"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
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
	return newFlowsAt(t, cognitotest.Options{}, change...)
}

// newFlowsAt makes one over a stand-in with these options.
func newFlowsAt(t *testing.T, o cognitotest.Options, change ...func(*enroll.Options)) *flows {
	t.Helper()
	s := standin.Start(t, o)
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
			CallTimeout:   time.Minute, // The machine may be slow.
			ClientSecrets: map[string]enroll.Secret{standin.RequiredClient: standin.RequiredSecret},
		}),
		Store: store, Limiter: limit.NewMemory(f.clock.Now),
		Metrics: m, Logger: slog.New(slog.DiscardHandler), Now: f.clock.Now,
		Issuer: "Example", AccountLabel: "email", ClientIDs: []string{standin.OptionalClient, standin.RequiredClient},
		PendingTTL: 15 * time.Minute, AuthSessionValidity: 3 * time.Minute, StepUpMaxAge: 15 * time.Minute,
		WriteRPS: 25, WorkTimeout: time.Minute,
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

// byUsername labels accounts with the username, so that nothing is looked up.
func byUsername(o *enroll.Options) { o.AccountLabel = "username" }

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

// ready waits for the keys, which are on their way.
func (f *flows) ready() {
	f.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.verifier.Ready() != nil {
		<-tick.C
	}
}

// bearer is whom an access token speaks for.
func (f *flows) bearer(accessToken string) enroll.Credential {
	f.t.Helper()
	f.ready()
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

// elsewhere makes a call with somebody's token.
func (f *flows) elsewhere(operation string, c enroll.Credential) (answer map[string]any) {
	f.t.Helper()
	f.cognito.Call(f.t, operation, map[string]any{"AccessToken": c.Identity.Token.Reveal()}, &answer)
	return answer
}

// challenged signs somebody of the optional pool in with the password, and returns
// what Cognito asks next.
func (f *flows) challenged(user string) enroll.Challenge {
	f.t.Helper()
	var answer struct{ ChallengeName, Session string }
	f.cognito.Call(f.t, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": standin.OptionalClient,
		"AuthParameters": map[string]string{"USERNAME": user, "PASSWORD": standin.Password},
	}, &answer)
	return enroll.Challenge{Name: answer.ChallengeName, Session: enroll.Secret(answer.Session)}
}

// down makes Cognito fail the next calls of an operation; the client repeats a
// call that may be repeated three times.
func (f *flows) down(operation string, calls int) {
	f.t.Helper()
	for range calls {
		f.cognito.Fail(operation, cognitotest.Fault{Exception: "InternalErrorException"})
	}
}

// wantCalls says how many calls of an operation Cognito got in all.
func (f *flows) wantCalls(operation string, want int) {
	f.t.Helper()
	if got := f.cognito.Calls(operation); got != want {
		f.t.Errorf("%d calls of %s, want %d", got, cmp.Or(operation, "any operation"), want)
	}
}

// wantMetric says what a series is, as it is scraped; of a histogram _sum and
// _count are series.
func (f *flows) wantMetric(series string, want float64) {
	f.t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+strconv.Quote(l.GetValue()))
			}
			of := ""
			if len(labels) > 0 {
				of = "{" + strings.Join(labels, ",") + "}"
			}
			got := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			switch series {
			case family.GetName() + of:
			case family.GetName() + "_sum" + of:
				got = m.GetHistogram().GetSampleSum()
			case family.GetName() + "_count" + of:
				got = float64(m.GetHistogram().GetSampleCount())
			default:
				continue
			}
			if got != want {
				f.t.Errorf("%s is %v, want %v", series, got, want)
			}
			return
		}
	}
	f.t.Errorf("%s is absent", series)
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

// together does something n times at once and returns what came of each.
func together[T any](n int, do func(i int) T) []T {
	all := make([]T, n)
	var done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		done.Go(func() {
			<-gate
			all[i] = do(i)
		})
	}
	close(gate)
	done.Wait()
	return all
}

// outcome is what a flow returned.
type outcome[T any] struct {
	value T
	err   error
}

// wantKind says that an error is of a kind; "" is none.
func wantKind(t *testing.T, err error, want enroll.Kind) {
	t.Helper()
	if got := enroll.KindOf(err); got != want {
		t.Errorf("the error is %q (%v), want %q", got, err, want)
	}
}
