package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

const secondClient = "demo-second"

// doors runs a test with pending enrollments kept and without, in a pool with
// two app clients: who may do what must not depend on what is remembered.
func doors(t *testing.T, test func(t *testing.T, w *world)) {
	for name, settings := range map[string]map[string]string{
		"kept": {}, "not kept": {"PENDING_TTL": "0"},
	} {
		t.Run(name, func(t *testing.T) {
			o := crowd(crowdSize)
			o.Pools[0].Clients = append(o.Pools[0].Clients, cognitotest.Client{ID: secondClient})
			settings["COGNITO_CLIENT_IDS"] = optionalClient + "," + secondClient + "," + requiredClient
			settings["COGNITO_WRITE_RPS"] = "10000"
			test(t, newWorldWith(t, o, settings))
		})
	}
}

// holds tells whether a reply holds any of these texts.
func (r reply) holds(texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(string(r.body), text) {
			return true
		}
	}
	return false
}

func TestNobodyElseSeesResumesOrVerifiesAPendingEnrollmentByToken(t *testing.T) {
	doors(t, func(t *testing.T, w *world) {
		ada := w.token(optional, optionalClient, "ada")
		e := w.begin(ada, object{"accountName": "ada@example.com"}).json(t)
		secret := e["secret"].(string)
		code := w.codeAt(secret, 0)
		others := map[string]struct {
			token   string
			session string
			body    object
		}{
			"another person":                         {token: w.token(optional, optionalClient, "linus")},
			"another person with her label":          {token: w.token(optional, optionalClient, "linus"), body: object{"accountName": "ada@example.com"}},
			"another person by another client":       {token: w.token(optional, secondClient, "grace")},
			"her namesake in another pool":           {token: w.token(required, requiredClient, "ada")},
			"her namesake by a forged username":      {token: w.cognito.Mint(optional, map[string]any{"sub": w.cognito.Subject(optional, "linus"), "username": "linus", "name": "ada"})},
			"a sign-in of another person":            {session: w.cognito.Session(required, requiredClient, "grace")},
			"her own namesake's sign-in":             {session: w.cognito.Session(required, requiredClient, "ada")},
			"a session that is her subject":          {session: w.cognito.Subject(optional, "ada")},
			"a session that is her token's issuer":   {session: "https://cognito-idp.us-east-1.amazonaws.com/" + optional},
			"her ID token":                           {token: w.cognito.SignIn(optional, optionalClient, "ada").IDToken},
			"her token with another's session":       {token: ada, session: w.cognito.Session(required, requiredClient, "grace")},
			"another's token with a session of hers": {token: w.token(optional, optionalClient, "linus"), session: w.cognito.Session(required, requiredClient, "ada")},
		}
		for name, other := range others {
			t.Run(name, func(t *testing.T) {
				start, verify := object{}, object{"code": code}
				for member, value := range other.body {
					start[member] = value
				}
				if other.session != "" {
					start["session"], verify["session"] = other.session, other.session
				}
				if r := w.verify(other.token, verify); r.status/100 != 4 {
					t.Errorf("her code verified for somebody else: %d %s", r.status, r.body)
				}
				r := w.begin(other.token, start)
				if r.holds(secret, e["otpauthUri"].(string), e["qrCode"].(string)) {
					t.Errorf("status %d, and the reply holds what is hers", r.status)
				}
				if r := w.verify(other.token, verify); r.status/100 != 4 {
					t.Errorf("her code verified for somebody else: %d %s", r.status, r.body)
				}
				if w.cognito.MFAEnabled(optional, "ada") || w.cognito.TOTPSecret(optional, "ada") != "" {
					t.Fatal("her enrollment was finished by somebody else")
				}
			})
		}
		if r := w.verify(ada, object{"code": code}); r.status != 200 {
			t.Errorf("she cannot finish any more: %d %s", r.status, r.body)
		}
	})
}

// The same person by another app client is another sign-in: it gets a secret of
// its own, and is not shown the one that the first client asked for.
func TestAnotherClientOfTheSamePersonIsNotShownTheSecret(t *testing.T) {
	doors(t, func(t *testing.T, w *world) {
		secret := w.begin(w.token(optional, optionalClient, "ada"), nil).json(t)["secret"].(string)
		if r := w.begin(w.token(optional, secondClient, "ada"), nil); r.status != 201 || r.holds(secret) {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}

func TestASessionIsItsOwnersAlone(t *testing.T) {
	doors(t, func(t *testing.T, w *world) {
		session := w.cognito.Session(required, requiredClient, "grace")
		e := w.begin("", object{"session": session}).json(t)
		secret, next := e["secret"].(string), e["session"].(string)
		code := w.codeAt(secret, 0)
		for name, wrong := range map[string]string{
			"the last character changed": next[:len(next)-1] + string('A'+next[len(next)-1]%2), "one character less": next[:len(next)-1], "one more": next + "A",
			"in capitals": strings.ToUpper(next), "twice": next[:1000%len(next)] + next[:1000%len(next)], "another's": w.cognito.Session(required, requiredClient, "linus"),
		} {
			t.Run(name, func(t *testing.T) {
				if wrong == next {
					t.Skip("the same after all")
				}
				if r := w.verify("", object{"session": wrong, "code": code}); r.status/100 != 4 {
					t.Errorf("verify: %d %s", r.status, r.body)
				}
				if r := w.begin("", object{"session": wrong}); r.holds(secret, next) || r.status == 200 {
					t.Errorf("start: %d", r.status)
				}
			})
		}
		t.Run("her session does not sign somebody else in", func(t *testing.T) {
			v := w.verify("", object{"session": next, "code": code, "username": "linus", "clientId": requiredClient})
			if v.holds("accessToken") {
				t.Fatalf("status %d: %s", v.status, v.body)
			}
			after, _ := v.json(t)["session"].(string)
			for _, try := range []object{{"username": "linus", "clientId": requiredClient}, {"username": "ada", "clientId": optionalClient}, {"username": "grace", "clientId": optionalClient}} {
				try["challenge"], try["session"] = "MFA_SETUP", after
				if r := w.answer(try); r.status/100 != 4 || r.holds("accessToken") {
					t.Errorf("%v: %d %s", try["username"], r.status, r.body)
				}
			}
		})
	})
}

func TestARequestThatSucceededDoesNothingWhenItIsReplayed(t *testing.T) {
	doors(t, func(t *testing.T, w *world) {
		refused := func(what string, r reply, secrets ...string) {
			t.Helper()
			if r.status/100 != 4 || r.holds(append(secrets, "accessToken", "otpauth")...) {
				t.Errorf("%s, replayed: %d %s", what, r.status, r.body)
			}
		}
		ada := w.token(optional, optionalClient, "ada")
		secret := w.begin(ada, nil).json(t)["secret"].(string)
		verify := object{"code": w.codeAt(secret, 0)}
		if r := w.verify(ada, verify); r.status != 200 {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		// While the code lasts Cognito takes it again for the same secret: the
		// same bearer is told the same status, and nothing changes.
		device := w.cognito.DeviceName(optional, "ada")
		if r := w.verify(ada, object{"code": verify["code"], "deviceName": "another"}); r.holds(secret, "accessToken", "otpauth") || r.status/100 == 5 {
			t.Errorf("verify by token, replayed: %d %s", r.status, r.body)
		}
		if w.cognito.TOTPSecret(optional, "ada") != secret || w.cognito.DeviceName(optional, "ada") != device {
			t.Error("the replay changed something")
		}
		w.clock.Advance(5 * time.Minute)
		refused("verify by token, when the code is over", w.verify(ada, verify), secret)
		if r := w.begin(ada, nil); r.holds(secret) {
			t.Error("the secret of a finished enrollment is told again")
		}

		session := w.cognito.Session(required, requiredClient, "grace")
		e := w.begin("", object{"session": session}).json(t)
		secret = e["secret"].(string)
		finish := object{"session": e["session"], "code": w.codeAt(secret, 0), "username": "grace", "clientId": requiredClient}
		if r := w.verify("", finish); r.status != 200 || !r.holds("accessToken") {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		refused("verify by session", w.verify("", finish), secret)
		refused("start by the first session", w.begin("", object{"session": session}), secret)
		refused("start by the next session", w.begin("", object{"session": e["session"]}), secret)
		refused("the sign-in", w.answer(object{"challenge": "MFA_SETUP", "session": e["session"], "username": "grace", "clientId": requiredClient}), secret)
	})
}

// Everybody starts at once, and then verifies at once while a neighbour tries
// with the same code: each gets one secret of their own and finishes with it.
func TestStartAndVerifyRacedByManyPeople(t *testing.T) {
	doors(t, func(t *testing.T, w *world) {
		tokens := make([]string, crowdSize)
		for i := range tokens {
			tokens[i] = w.token(optional, optionalClient, person(i))
		}
		starts := together(2*crowdSize, func(i int) reply { return w.begin(tokens[i%crowdSize], nil) })
		owner := map[string]int{}
		for i, r := range starts {
			if r.status/100 != 2 {
				t.Fatalf("status %d: %s", r.status, r.body)
			}
			secret := r.json(t)["secret"].(string)
			if other, seen := owner[secret]; seen && other != i%crowdSize {
				t.Fatalf("%s and %s got the same secret", person(other), person(i%crowdSize))
			}
			owner[secret] = i % crowdSize
		}
		// Codes of six digits may meet by chance; two people's must differ here.
		codes := make([]string, crowdSize)
		for i := range codes {
			codes[i] = w.codeAt(w.cognito.PendingSecret(optional, person(i)), 0)
		}
		fits := func(i int, code string) bool {
			secret := w.cognito.PendingSecret(optional, person(i))
			for _, off := range []int{-1, 0, 1} {
				if w.codeAt(secret, time.Duration(off)*30*time.Second) == code {
					return true
				}
			}
			return false
		}
		neighbour := func(i int) int { return (i + 1) % crowdSize }
		foreign := make([]bool, crowdSize)
		for i := range foreign {
			foreign[i] = !fits(neighbour(i), codes[i])
		}
		verifies := together(2*crowdSize, func(i int) reply {
			if i < crowdSize {
				return w.verify(tokens[i], object{"code": codes[i]})
			}
			return w.verify(tokens[neighbour(i-crowdSize)], object{"code": codes[i-crowdSize]})
		})
		for i, r := range verifies {
			switch {
			case i < crowdSize && r.status != 200:
				t.Errorf("%s cannot finish: %d %s", person(i), r.status, r.body)
			case i >= crowdSize && foreign[i-crowdSize] && r.status/100 != 4:
				t.Errorf("%s finished with the code of %s: %d", person(neighbour(i-crowdSize)), person(i-crowdSize), r.status)
			}
		}
		for i := range crowdSize {
			if got := owner[w.cognito.TOTPSecret(optional, person(i))]; got != i {
				t.Errorf("%s has the secret of %s", person(i), fmt.Sprint(got))
			}
		}
	})
}
