package live

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// service is what `go run ./cmd/demo` runs: the application and the stand-in for
// Cognito, with sockets of their own and by the machine's clock, as Prometheus is.
type service struct {
	*world.World
	loseRedis func()   // kills, or slows down, the Redis that the service was given, if it was
	tokens    sync.Map // of the sign-in of each user
}

// startService starts the application; settings are environment variables over
// those of the tests.
func startService(t *testing.T, settings map[string]string) *service {
	t.Helper()
	return startCrowd(t, cognitotest.Options{}, settings)
}

// startCrowd is startService with people of one's own.
func startCrowd(t *testing.T, o cognitotest.Options, settings map[string]string) *service {
	t.Helper()
	o.Now = time.Now
	w := world.Prepare(t, o)
	w.Run(settings)
	return &service{World: w}
}

// want stops the test where a step of the load did not go as meant.
func (s *service) want(what string, status int, r world.Reply) map[string]any {
	s.T.Helper()
	if r.Status != status {
		s.T.Fatalf("%s: status %d, want %d: %s", what, r.Status, status, r.Body)
	}
	return r.JSON(s.T)
}

// tokenOf signs somebody of the optional pool in, once: another sign-in would be
// another enrollment.
func (s *service) tokenOf(user string) string {
	if token, found := s.tokens.Load(user); found {
		return token.(string)
	}
	token, _ := s.tokens.LoadOrStore(user, s.Token(world.Optional, world.OptionalClient, user))
	return token.(string)
}

// begin starts an enrollment and returns its secret.
func (s *service) begin(user string) string {
	s.T.Helper()
	return s.want("start", http.StatusCreated, s.Begin(s.tokenOf(user), nil))["secret"].(string)
}

// refused submits a code that is not right.
func (s *service) refused(user, code string) {
	s.T.Helper()
	s.want("a code that is not right", http.StatusUnprocessableEntity, s.Verify(s.tokenOf(user), world.Object{"code": code}))
}

// byToken takes one person through everything that an access token allows.
func (s *service) byToken(user string) {
	s.T.Helper()
	secret := s.begin(user)
	s.refused(user, s.WrongCode(secret))
	s.refused(user, s.CodeAt(secret, -3*time.Minute)) // of a slow phone
	token := s.tokenOf(user)
	s.want("verify", http.StatusOK, s.Verify(token, world.Object{"code": s.CodeAt(secret, 0)}))
	s.want("status", http.StatusOK, s.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token}))
	s.want("prefer", http.StatusOK, s.Do(world.Request{
		Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": true, "preferred": true},
	}))
}

// bySession takes one person through a sign-in that asks for an app.
func (s *service) bySession(user string) {
	s.T.Helper()
	started := s.want("start by session", http.StatusCreated, s.Begin("", world.Object{"session": s.Cognito.Session(world.Required, world.RequiredClient, user)}))
	done := s.want("verify by session", http.StatusOK, s.Verify("", world.Object{
		"session": started["session"], "code": s.CodeAt(started["secret"].(string), 0), "username": user, "clientId": world.RequiredClient,
	}))
	if done["tokens"] == nil {
		s.T.Fatal("the sign-in is not complete")
	}
}

// signInWithCode signs in somebody who was enrolled by byToken. The code that
// enrolled cannot be used again, so it is the next one.
func (s *service) signInWithCode(user string) {
	s.T.Helper()
	secret := s.Cognito.TOTPSecret(world.Optional, user)
	answer := func(code string) world.Reply {
		challenge, session := s.SignIn(user)
		return s.Answer(world.Object{"challenge": challenge, "clientId": world.OptionalClient, "username": user, "session": session, "code": code})
	}
	s.want("a wrong code at sign-in", http.StatusUnprocessableEntity, answer(s.WrongCode(secret)))
	s.want("sign-in", http.StatusOK, answer(s.CodeAt(secret, 30*time.Second)))
}

// everything is a small load that touches every flow, and some faults: one
// person enrolls with an access token and signs in again, another during sign-in.
func (s *service) everything(signedIn, signingIn string) {
	s.T.Helper()
	s.Do(world.Request{Method: "GET", Path: "/v1/mfa"})
	s.Do(world.Request{Method: "GET", Path: "/nothing/here"})
	s.byToken(signedIn)
	s.signInWithCode(signedIn)
	s.bySession(signingIn)
	s.Cognito.Fail("GetUser", cognitotest.Fault{Exception: "NotAuthorizedException", Message: "Access Token has been revoked"})
	s.want("a revoked token", http.StatusUnauthorized, s.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: s.tokenOf("linus")}))
}
