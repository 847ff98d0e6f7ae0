package cognitotest_test

import (
	"testing"
	"time"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

// lockedFor finds out how long ada is locked out, to the second, with attempts
// that do not lengthen it.
func (s *standIn) lockedFor(t *testing.T, wrong func() error, failure string) time.Duration {
	t.Helper()
	for locked := time.Duration(0); locked <= 20*time.Minute; locked += time.Second {
		err := wrong()
		if err == nil {
			t.Fatal("a wrong proof was taken")
		}
		if !isException(err, "NotAuthorizedException", "Password attempts exceeded") {
			wantException(t, err, failure, "")
			return locked
		}
		s.clock.advance(time.Second)
	}
	t.Fatal("locked for more than 20 minutes")
	return 0
}

func TestFailedSignInsLockOutForTwiceAsLongEachTime(t *testing.T) {
	tests := map[string]struct {
		failure string
		wrong   func(*testing.T, *standIn) func() error
	}{
		"by password": {
			failure: "NotAuthorizedException",
			wrong: func(t *testing.T, s *standIn) func() error {
				return func() error { _, err := s.signIn(t, optionalClient, with("PASSWORD", "wrong")); return err }
			},
		},
		"by code": {
			failure: "CodeMismatchException",
			wrong: func(t *testing.T, s *standIn) func() error {
				in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
				return func() error {
					_, err := s.respondWithCode(t, optionalClient, *in.Session, s.wrongCode(t, enrolledSecret))
					return err
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t,
				changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }),
				changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].AuthSessionValidity = 24 * time.Hour }))
			wrong := test.wrong(t, s)
			for range 5 {
				wantException(t, wrong(), test.failure, "")
			}
			for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
				if got := s.lockedFor(t, wrong, test.failure); got != want {
					t.Fatalf("locked for %s, want %s", got, want)
				}
			}
		})
	}
}

func TestALockOutEnds(t *testing.T) {
	wrong := func(t *testing.T, s *standIn, times int) {
		t.Helper()
		for range times {
			_, err := s.signIn(t, optionalClient, with("PASSWORD", "wrong"))
			wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
		}
	}
	t.Run("with a right password after it", func(t *testing.T) {
		s := start(t)
		wrong(t, s, 5)
		_, err := s.signIn(t, optionalClient)
		wantException(t, err, "NotAuthorizedException", "Password attempts exceeded")
		s.clock.advance(time.Second)
		must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
		wrong(t, s, 5)
	})
	t.Run("with a quarter of an hour of peace", func(t *testing.T) {
		s := start(t)
		wrong(t, s, 5)
		s.clock.advance(15 * time.Minute)
		wrong(t, s, 5)
	})
	t.Run("after a quarter of an hour at the latest", func(t *testing.T) {
		s := start(t)
		wrong(t, s, 5)
		for n := range 12 { // 2^11 seconds would be 34 minutes
			s.clock.advance(min(time.Second<<n, 15*time.Minute-time.Second))
			if n < 10 {
				wrong(t, s, 1)
			}
		}
		s.clock.advance(2 * time.Second)
		must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	})
}
