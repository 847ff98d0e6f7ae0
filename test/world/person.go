package world

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
)

// Token signs a user in and returns the access token.
func (w *World) Token(pool, client, user string) string {
	return w.Cognito.SignIn(pool, client, user).AccessToken
}

// CodeAt is the code that an authenticator app shows whose clock is off.
func (w *World) CodeAt(secret string, off time.Duration) string {
	w.T.Helper()
	code, err := totp.GenerateCode(secret, w.Clock.Now().Add(off))
	if err != nil {
		w.T.Fatal(err)
	}
	return code
}

// WrongCode fits no step within half an hour of now.
func (w *World) WrongCode(secret string) string {
	w.T.Helper()
	near := map[string]bool{}
	for off := -30 * time.Minute; off <= 30*time.Minute; off += 30 * time.Second {
		near[w.CodeAt(secret, off)] = true
	}
	for _, candidate := range []string{"000000", "111111", "222222", "333333", "444444"} {
		if !near[candidate] {
			return candidate
		}
	}
	w.T.Fatal("every candidate fits")
	return ""
}

// Enrolled starts and verifies an enrollment by token and returns the secret.
func (w *World) Enrolled(token string) string {
	w.T.Helper()
	secret := w.Begin(token, Object{"renew": true}).JSON(w.T)["secret"].(string)
	if r := w.Verify(token, Object{"code": w.CodeAt(secret, 0)}); r.Status != 200 {
		w.T.Fatalf("status %d: %s", r.Status, r.Body)
	}
	return secret
}

// Answer answers a challenge of a sign-in.
func (w *World) Answer(body Object) Reply {
	w.T.Helper()
	return w.Do(Request{Method: "POST", Path: "/v1/auth/challenge", Body: body})
}

// SignedIn is Cognito's answer to a password.
type SignedIn struct {
	ChallengeName, Session string
	AuthenticationResult   struct{ AccessToken string }
}

// SignIn signs in at the stand-in with a password and returns the challenge's session.
func (w *World) SignIn(user string) (challenge, session string) {
	w.T.Helper()
	s := w.SignInTo(OptionalClient, user)
	return s.ChallengeName, s.Session
}

// SignInTo is SignIn through any app client without a secret.
func (w *World) SignInTo(client, user string) (s SignedIn) {
	w.T.Helper()
	w.Cognito.Call(w.T, "InitiateAuth", Object{
		"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client, "AuthParameters": map[string]string{"USERNAME": user, "PASSWORD": Password},
	}, &s)
	return s
}

// Together runs n requests at once and returns their replies.
func Together(n int, do func(i int) Reply) []Reply {
	replies := make([]Reply, n)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			replies[i] = do(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return replies
}

// Failing makes every attempt at a call fail while do runs.
func (w *World) Failing(operation string, fault cognitotest.Fault, do func() Reply) Reply {
	w.T.Helper()
	const enough = 4
	before := w.Cognito.Calls(operation)
	w.Cognito.Fail(operation, fault, fault, fault, fault)
	r := do()
	for range enough - (w.Cognito.Calls(operation) - before) {
		w.SpendFault(operation)
	}
	return r
}

// SpendFault uses up a planned fault that no call met.
func (w *World) SpendFault(operation string) {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), http.MethodPost, w.Endpoint, strings.NewReader("{}"))
	if err != nil {
		w.T.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// The fault may well be a cut connection.
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}
