package enroll_test

import (
	"errors"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

func TestACodeOfAnEarlierQRCodeIsTold(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(f *flows, c enroll.Credential) enroll.Enrollment{
		"asked for anew": func(f *flows, c enroll.Credential) enroll.Enrollment { return f.renew(c) },
		"expired": func(f *flows, c enroll.Credential) enroll.Enrollment {
			f.clock.Advance(16 * time.Minute)
			return f.start(c)
		},
		"three times": func(f *flows, c enroll.Credential) enroll.Enrollment {
			f.renew(c)
			f.renew(c)
			return f.renew(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlows(t)
			c := f.signedIn("ada")
			first := f.start(c)
			newest := again(f, c)
			for range 6 {
				_, err := f.verify(c, f.codeAt(first.Secret, 0))
				wantKind(t, err, enroll.SupersededCode)
			}
			if n := f.cognito.Calls("VerifySoftwareToken"); n != 0 {
				t.Errorf("%d calls", n)
			}
			if _, err := f.verify(c, f.codeAt(newest.Secret, 0)); err != nil {
				t.Errorf("the newest: %v", err)
			}
		})
	}
}

// A step-up between the QR code and its code ends so, and another browser.
func TestACodeOfAnotherSignInsQRCodeIsTold(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first := f.start(f.signedIn("ada"))
	f.clock.Advance(time.Second)
	c := f.signedIn("ada")
	newest := f.start(c)
	_, err := f.verify(c, f.codeAt(first.Secret, 0))
	wantKind(t, err, enroll.SupersededCode)
	if _, err := f.verify(c, f.codeAt(newest.Secret, 0)); err != nil {
		t.Errorf("the newest: %v", err)
	}
}

func TestASessionsEarlierQRCodeIsTold(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	c := f.signingIn("grace")
	first := f.start(c)
	newest := f.renew(c)
	_, err := f.verify(bySession(newest.Session), f.codeAt(first.Secret, 0))
	wantKind(t, err, enroll.SupersededCode)
	if _, err := f.finish(bySession(newest.Session), "grace", f.codeAt(newest.Secret, 0)); err != nil {
		t.Error(err)
	}
}

func TestASecretThatIsNoLongerShownStillFinishes(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	c := f.signedIn("ada")
	e := f.start(c)
	f.clock.Advance(16 * time.Minute)
	if _, err := f.verify(c, f.codeAt(e.Secret, 0)); err != nil {
		t.Errorf("Cognito would have taken it: %v", err)
	}
}

func TestNoWrongCodeReachesCognito(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	c := f.signedIn("ada")
	secret := f.start(c).Secret
	for range 9 {
		_, err := f.verify(c, f.wrongCode(secret))
		wantKind(t, err, enroll.CodeMismatch)
	}
	if n := f.cognito.Calls("VerifySoftwareToken"); n != 0 {
		t.Errorf("%d calls for 9 wrong codes", n)
	}
}

func TestAfterCognitoRefusedAFittingCodeItsEntryIsKnownAsTheOlder(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	c := f.signedIn("ada")
	old := f.start(c).Secret
	f.elsewhere("AssociateSoftwareToken", c)
	_, err := f.verify(c, f.codeAt(old, 0))
	wantKind(t, err, enroll.EnrollmentReplaced)
	// Until the person starts again no code finishes it: Cognito has been reported to
	// take that of an older app.
	for _, code := range []enroll.Secret{f.codeAt(old, 0), f.wrongCode(old)} {
		_, err = f.verify(c, code)
		wantKind(t, err, enroll.EnrollmentReplaced)
	}
	if n := f.cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("%d calls of VerifySoftwareToken, want that of the first code", n)
	}
	f.start(c)
	_, err = f.verify(c, f.codeAt(old, 0))
	wantKind(t, err, enroll.SupersededCode)
}

func TestAPhoneInAnotherTimeZoneIsTold(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{
		-14 * time.Hour, -2 * time.Hour, -time.Hour, time.Hour, 2 * time.Hour, 5*time.Hour + 45*time.Minute, 14 * time.Hour,
	} {
		t.Run(off.String(), func(t *testing.T) {
			f := newFlows(t)
			c := f.signedIn("ada")
			secret := f.start(c).Secret
			for _, slack := range []time.Duration{0, 40 * time.Second, -40 * time.Second} {
				_, err := f.verify(c, f.codeAt(secret, off+slack))
				wantKind(t, err, enroll.CodeMismatch)
				if e, ok := errors.AsType[*enroll.Error](err); !ok || e.ClockSkew != off {
					t.Errorf("with %v besides: %+v", slack, err)
				}
			}
			if n := f.cognito.Calls("VerifySoftwareToken"); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}
