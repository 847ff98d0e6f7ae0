package enroll_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/standin"
)

func TestStartByTokenGivesWhatAnAppNeeds(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signedIn("ada"))
	secret := f.cognito.PendingSecret(standin.Optional, "ada")
	want := enroll.Enrollment{
		Secret: enroll.Secret(secret), Issuer: "Example", AccountName: "ada@example.com", ExpiresAt: f.clock.Now().Add(15 * time.Minute),
		URI: enroll.Secret("otpauth://totp/Example:ada%40example.com?secret=" + secret + "&issuer=Example"),
	}
	if e != want {
		t.Errorf("got %+v, %s\nwant %+v, %s", e, e.URI.Reveal(), want, want.URI.Reveal())
	}
}

func TestStartBySessionGivesTheNextSession(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) { o.AuthSessionValidity = 5 * time.Minute })
	grace := f.signingIn("grace")
	e := f.startWith(enroll.StartRequest{Credential: grace, AccountName: "grace@example.com"})
	if e.Session == "" || e.Session == grace.Session {
		t.Errorf("the next session is %q", e.Session.Reveal())
	}
	if want := f.clock.Now().Add(5 * time.Minute); !e.ExpiresAt.Equal(want) || e.AccountName != "grace@example.com" {
		t.Errorf("it ends at %v, want %v; the account is %q", e.ExpiresAt, want, e.AccountName)
	}
}

func TestStartingAgainGivesTheSameEnrollment(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	first := f.start(ada)
	again := f.start(ada)
	if first.Resumed || !again.Resumed || again.Secret != first.Secret || again.URI != first.URI || !again.ExpiresAt.Equal(first.ExpiresAt) {
		t.Errorf("%+v\n%+v", first, again)
	}
	f.wantCalls("AssociateSoftwareToken", 1)
	f.wantMetric(`mfa_enrollments_started_total{flow="token",result="resumed"}`, 1)
	renewed := f.renew(ada)
	if renewed.Resumed || renewed.Secret == first.Secret {
		t.Error("renew resumed")
	}
	if other := f.start(f.signedIn("linus")); other.Secret == renewed.Secret {
		t.Error("another person gets the same secret")
	}
}

func TestAnySessionOfTheChainResumesAndVerifies(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	grace := f.signingIn("grace")
	first := f.start(grace)
	for _, c := range []enroll.Credential{grace, bySession(first.Session)} {
		if again := f.start(c); !again.Resumed || again.Secret != first.Secret || again.Session != first.Session {
			t.Fatalf("%+v", again)
		}
	}
	// The page that still shows the first reply holds a spent session.
	renewed := f.renew(grace)
	v, err := f.finish(bySession(first.Session), "grace", f.codeAt(renewed.Secret, 0))
	if err != nil || v.SignIn == nil || v.SignIn.Tokens == nil {
		t.Errorf("verify with an older session: %+v, %v", v, err)
	}
	_, err = f.Start(t.Context(), enroll.StartRequest{Credential: grace})
	wantKind(t, err, enroll.SessionExpired)
}

func TestAnEnrollmentIsForgottenWhenItIsOverOrTooOld(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) { o.PendingTTL = 10 * time.Minute })
	ada := f.signedIn("ada")
	first := f.start(ada).Secret
	f.clock.Advance(9 * time.Minute)
	if f.start(ada).Secret != first {
		t.Error("forgotten too early")
	}
	f.clock.Advance(2 * time.Minute)
	if e := f.start(ada); e.Resumed || e.Secret == first {
		t.Error("kept too long")
	}
	f.enrolled(ada)
	if f.start(ada).Resumed {
		t.Error("kept after it was verified")
	}
}

// keepsNothing is what PENDING_TTL=0 sets.
func keepsNothing(o *enroll.Options) { o.PendingTTL, o.Store = 0, enroll.NoStore{} }

func TestNothingIsKeptWhenTheTTLIsZero(t *testing.T) {
	t.Parallel()
	f := newFlows(t, keepsNothing)
	ada := f.signedIn("ada")
	first, second := f.start(ada), f.start(ada)
	if first.Resumed || second.Resumed || second.Secret == first.Secret {
		t.Error("the first secret was kept")
	}
	f.wantCalls("AssociateSoftwareToken", 2)
	if !second.ExpiresAt.Equal(ada.Identity.Expiry) {
		t.Errorf("it ends at %v, and the token at %v", second.ExpiresAt, ada.Identity.Expiry)
	}
	if _, err := f.verify(ada, f.codeAt(second.Secret, 0)); err != nil {
		t.Error(err)
	}
	_, err := f.Show(t.Context(), *ada.Identity)
	wantKind(t, err, enroll.NoPendingEnrollment)
}

func TestFiftySimultaneousStartsMakeOneCall(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	for flow, c := range map[string]enroll.Credential{"by token": f.signedIn("ada"), "by session": f.signingIn("grace")} {
		before := f.cognito.Calls("AssociateSoftwareToken")
		all := together(50, func(int) outcome[enroll.Enrollment] {
			e, err := f.Start(t.Context(), enroll.StartRequest{Credential: c})
			return outcome[enroll.Enrollment]{e, err}
		})
		made, first := 0, all[0].value
		for _, o := range all {
			if o.err != nil || o.value.Secret != first.Secret || o.value.Session != first.Session || o.value.URI != first.URI || !o.value.ExpiresAt.Equal(first.ExpiresAt) {
				t.Fatalf("%s: %+v, %v, where another is %+v", flow, o.value, o.err, first)
			}
			if !o.value.Resumed {
				made++
			}
		}
		if n := f.cognito.Calls("AssociateSoftwareToken") - before; n != 1 || made != 1 {
			t.Errorf("%s: %d calls, and %d are told that they made it", flow, n, made)
		}
	}
}

func TestTheLabelNeverFailsAnEnrollment(t *testing.T) {
	t.Parallel()
	label := func(name string) func(*enroll.Options) {
		return func(o *enroll.Options) { o.AccountLabel = name }
	}
	for name, test := range map[string]struct {
		change  func(*enroll.Options)
		account string // in the request
		down    int    // calls of GetUser that fail
		want    string
		getUser int
	}{
		"the attribute by default":         {label("email"), "", 0, "ada@example.com", 1},
		"the request's name wins":          {label("email"), "me: at home", 0, "me at home", 0},
		"the username where it is chosen":  {label("username"), "", 0, "ada", 0},
		"another name that is recognised":  {label("phone_number"), "", 0, "ada@example.com", 1},
		"the username where GetUser fails": {label("email"), "", 3, "ada", 3},
		"a name of which nothing is left":  {label("email"), ":::", 0, "ada", 0},
		"a name in another script":         {label("email"), "Åsa 李雷", 0, "Åsa 李雷", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlows(t, test.change)
			f.down("GetUser", test.down)
			if got := f.startWith(enroll.StartRequest{Credential: f.signedIn("ada"), AccountName: test.account}).AccountName; got != test.want {
				t.Errorf("the account is %q, want %q", got, test.want)
			}
			if n := f.cognito.Calls("GetUser"); test.down > 0 && 0 < n && n < test.getUser {
				return // How often it is tried in the time that a label may take is up to the machine.
			}
			f.wantCalls("GetUser", test.getUser)
		})
	}
}

func TestTheLabelIsEscapedForEveryAuthenticator(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) { o.Issuer = "Ünïcode & Söhne + Co" })
	uri := f.startWith(enroll.StartRequest{Credential: f.signedIn("ada"), AccountName: "a+b c%20d@example.com"}).URI.Reveal()
	if strings.Contains(uri, "+") || strings.Contains(uri, " ") {
		t.Errorf("an authenticator would show the + of %s", uri)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Path; got != "/Ünïcode ＆ Söhne ＋ Co:a+b c％20d@example.com" {
		t.Errorf("the label reads %q", got)
	}
	if got := u.Query().Get("issuer"); got != "Ünïcode ＆ Söhne ＋ Co" {
		t.Errorf("the issuer reads %q", got)
	}
}

func TestAPersonIsShownTheirOwnPendingEnrollmentAlone(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada, linus := f.signedIn("ada"), f.signedIn("linus")
	nothing := func(why string, c enroll.Credential) {
		t.Helper()
		if _, err := f.Show(t.Context(), *c.Identity); enroll.KindOf(err) != enroll.NoPendingEnrollment {
			t.Errorf("%s: %v", why, err)
		}
	}
	nothing("before the start", ada)
	begun := f.start(ada)
	nothing("another person", linus)
	calls := f.cognito.Calls("")
	if shown, err := f.Show(t.Context(), *ada.Identity); err != nil || shown.URI != begun.URI || !shown.Resumed {
		t.Errorf("%+v, %v", shown, err)
	}
	f.wantCalls("", calls)
	if _, err := f.verify(ada, f.codeAt(begun.Secret, 0)); err != nil {
		t.Fatal(err)
	}
	nothing("after it was verified", ada)
	f.start(linus)
	f.clock.Advance(16 * time.Minute)
	nothing("after it expired", f.signedIn("linus"))
}

// A secondary replica of a multi-region pool does not offer TOTP.
func TestWhatTheRegionDoesNotOfferIsThePoolsAnswer(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.cognito.Fail("AssociateSoftwareToken", cognitotest.Fault{Exception: "OperationNotEnabledException"})
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: f.signedIn("ada")})
	wantKind(t, err, enroll.NotOfferedHere)
	// What pages the operator counts nothing.
	f.wantMetric(`cognito_requests_total{operation="AssociateSoftwareToken",outcome="internal"}`, 0)
	f.wantMetric(`cognito_requests_total{operation="AssociateSoftwareToken",outcome="refused"}`, 1)
}
