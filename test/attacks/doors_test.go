package attacks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

const secondClient = "demo-second"

// crowdSize is how many people there are.
const crowdSize = 20

// doors runs a test with pending enrollments kept and without, in a pool with
// two app clients: who may do what must not depend on what is remembered.
func doors(t *testing.T, test func(t *testing.T, w *world.World)) {
	for name, settings := range map[string]map[string]string{
		"kept": {}, "not kept": {"PENDING_TTL": "0"},
	} {
		t.Run(name, func(t *testing.T) {
			o := world.Crowd(crowdSize)
			o.Pools[0].Clients = append(o.Pools[0].Clients, cognitotest.Client{ID: secondClient})
			settings["COGNITO_CLIENT_IDS"] = world.OptionalClient + "," + secondClient + "," + world.RequiredClient
			settings["COGNITO_WRITE_RPS"] = "10000"
			test(t, world.NewWith(t, o, settings))
		})
	}
}

// holds tells whether a reply holds any of these texts.
func holds(r world.Reply, texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(string(r.Body), text) {
			return true
		}
	}
	return false
}

func TestNobodyElseSeesResumesOrVerifiesAPendingEnrollmentByToken(t *testing.T) {
	doors(t, func(t *testing.T, w *world.World) {
		ada := w.Token(world.Optional, world.OptionalClient, "ada")
		e := w.Begin(ada, world.Object{"accountName": "ada@example.com"}).JSON(t)
		secret := e["secret"].(string)
		code := w.CodeAt(secret, 0)
		others := map[string]struct {
			token   string
			session string
			body    world.Object
		}{
			"another person":                         {token: w.Token(world.Optional, world.OptionalClient, "linus")},
			"another person with her label":          {token: w.Token(world.Optional, world.OptionalClient, "linus"), body: world.Object{"accountName": "ada@example.com"}},
			"another person by another client":       {token: w.Token(world.Optional, secondClient, "grace")},
			"her namesake in another pool":           {token: w.Token(world.Required, world.RequiredClient, "ada")},
			"her namesake by a forged username":      {token: w.Cognito.Mint(world.Optional, map[string]any{"sub": w.Cognito.Subject(world.Optional, "linus"), "username": "linus", "name": "ada"})},
			"a sign-in of another person":            {session: w.Cognito.Session(world.Required, world.RequiredClient, "grace")},
			"her own namesake's sign-in":             {session: w.Cognito.Session(world.Required, world.RequiredClient, "ada")},
			"a session that is her subject":          {session: w.Cognito.Subject(world.Optional, "ada")},
			"a session that is her token's issuer":   {session: "https://cognito-idp.us-east-1.amazonaws.com/" + world.Optional},
			"her ID token":                           {token: w.Cognito.SignIn(world.Optional, world.OptionalClient, "ada").IDToken},
			"her token with another's session":       {token: ada, session: w.Cognito.Session(world.Required, world.RequiredClient, "grace")},
			"another's token with a session of hers": {token: w.Token(world.Optional, world.OptionalClient, "linus"), session: w.Cognito.Session(world.Required, world.RequiredClient, "ada")},
		}
		for name, other := range others {
			t.Run(name, func(t *testing.T) {
				start, verify := world.Object{}, world.Object{"code": code}
				for member, value := range other.body {
					start[member] = value
				}
				if other.session != "" {
					start["session"], verify["session"] = other.session, other.session
				}
				if r := w.Verify(other.token, verify); r.Status/100 != 4 {
					t.Errorf("her code verified for somebody else: %d %s", r.Status, r.Body)
				}
				r := w.Begin(other.token, start)
				if holds(r, secret, e["otpauthUri"].(string), e["qrCode"].(string)) {
					t.Errorf("status %d, and the reply holds what is hers", r.Status)
				}
				if r := w.Verify(other.token, verify); r.Status/100 != 4 {
					t.Errorf("her code verified for somebody else: %d %s", r.Status, r.Body)
				}
				if w.Cognito.MFAEnabled(world.Optional, "ada") || w.Cognito.TOTPSecret(world.Optional, "ada") != "" {
					t.Fatal("her enrollment was finished by somebody else")
				}
			})
		}
		if r := w.Verify(ada, world.Object{"code": code}); r.Status != 200 {
			t.Errorf("she cannot finish any more: %d %s", r.Status, r.Body)
		}
	})
}

// The same person by another app client is another sign-in: it gets a secret of
// its own, and is not shown the one that the first client asked for.
func TestAnotherClientOfTheSamePersonIsNotShownTheSecret(t *testing.T) {
	doors(t, func(t *testing.T, w *world.World) {
		secret := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil).JSON(t)["secret"].(string)
		if r := w.Begin(w.Token(world.Optional, secondClient, "ada"), nil); r.Status != 201 || holds(r, secret) {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
	})
}

func TestASessionIsItsOwnersAlone(t *testing.T) {
	doors(t, func(t *testing.T, w *world.World) {
		session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
		e := w.Begin("", world.Object{"session": session}).JSON(t)
		secret, next := e["secret"].(string), e["session"].(string)
		code := w.CodeAt(secret, 0)
		for name, wrong := range map[string]string{
			"the last character changed": next[:len(next)-1] + string('A'+next[len(next)-1]%2), "one character less": next[:len(next)-1], "one more": next + "A",
			"in capitals": strings.ToUpper(next), "twice": next[:1000%len(next)] + next[:1000%len(next)], "another's": w.Cognito.Session(world.Required, world.RequiredClient, "linus"),
		} {
			t.Run(name, func(t *testing.T) {
				if wrong == next {
					t.Skip("the same after all")
				}
				if r := w.Verify("", world.Object{"session": wrong, "code": code}); r.Status/100 != 4 {
					t.Errorf("verify: %d %s", r.Status, r.Body)
				}
				if r := w.Begin("", world.Object{"session": wrong}); holds(r, secret, next) || r.Status == 200 {
					t.Errorf("start: %d", r.Status)
				}
			})
		}
		t.Run("her session does not sign somebody else in", func(t *testing.T) {
			v := w.Verify("", world.Object{"session": next, "code": code, "username": "linus", "clientId": world.RequiredClient})
			if holds(v, "accessToken") {
				t.Fatalf("status %d: %s", v.Status, v.Body)
			}
			after, _ := v.JSON(t)["session"].(string)
			for _, try := range []world.Object{{"username": "linus", "clientId": world.RequiredClient}, {"username": "ada", "clientId": world.OptionalClient}, {"username": "grace", "clientId": world.OptionalClient}} {
				try["challenge"], try["session"] = "MFA_SETUP", after
				if r := w.Answer(try); r.Status/100 != 4 || holds(r, "accessToken") {
					t.Errorf("%v: %d %s", try["username"], r.Status, r.Body)
				}
			}
		})
	})
}

func TestARequestThatSucceededDoesNothingWhenItIsReplayed(t *testing.T) {
	doors(t, func(t *testing.T, w *world.World) {
		refused := func(what string, r world.Reply, secrets ...string) {
			t.Helper()
			if r.Status/100 != 4 || holds(r, append(secrets, "accessToken", "otpauth")...) {
				t.Errorf("%s, replayed: %d %s", what, r.Status, r.Body)
			}
		}
		ada := w.Token(world.Optional, world.OptionalClient, "ada")
		secret := w.Begin(ada, nil).JSON(t)["secret"].(string)
		verify := world.Object{"code": w.CodeAt(secret, 0)}
		if r := w.Verify(ada, verify); r.Status != 200 {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
		// While the code lasts Cognito takes it again for the same secret: the
		// same bearer is told the same status, and nothing changes.
		device := w.Cognito.DeviceName(world.Optional, "ada")
		if r := w.Verify(ada, world.Object{"code": verify["code"], "deviceName": "another"}); holds(r, secret, "accessToken", "otpauth") || r.Status/100 == 5 {
			t.Errorf("verify by token, replayed: %d %s", r.Status, r.Body)
		}
		if w.Cognito.TOTPSecret(world.Optional, "ada") != secret || w.Cognito.DeviceName(world.Optional, "ada") != device {
			t.Error("the replay changed something")
		}
		w.Clock.Advance(5 * time.Minute)
		refused("verify by token, when the code is over", w.Verify(ada, verify), secret)
		if r := w.Begin(ada, nil); holds(r, secret) {
			t.Error("the secret of a finished enrollment is told again")
		}

		session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
		e := w.Begin("", world.Object{"session": session}).JSON(t)
		secret = e["secret"].(string)
		finish := world.Object{"session": e["session"], "code": w.CodeAt(secret, 0), "username": "grace", "clientId": world.RequiredClient}
		if r := w.Verify("", finish); r.Status != 200 || !holds(r, "accessToken") {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
		refused("verify by session", w.Verify("", finish), secret)
		refused("start by the first session", w.Begin("", world.Object{"session": session}), secret)
		refused("start by the next session", w.Begin("", world.Object{"session": e["session"]}), secret)
		refused("the sign-in", w.Answer(world.Object{"challenge": "MFA_SETUP", "session": e["session"], "username": "grace", "clientId": world.RequiredClient}), secret)
	})
}

// Everybody starts at once, and then verifies at once while a neighbour tries
// with the same code: each gets one secret of their own and finishes with it.
func TestStartAndVerifyRacedByManyPeople(t *testing.T) {
	doors(t, func(t *testing.T, w *world.World) {
		tokens := make([]string, crowdSize)
		for i := range tokens {
			tokens[i] = w.Token(world.Optional, world.OptionalClient, world.Person(i))
		}
		starts := world.Together(2*crowdSize, func(i int) world.Reply { return w.Begin(tokens[i%crowdSize], nil) })
		owner := map[string]int{}
		for i, r := range starts {
			if r.Status/100 != 2 {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			secret := r.JSON(t)["secret"].(string)
			if other, seen := owner[secret]; seen && other != i%crowdSize {
				t.Fatalf("%s and %s got the same secret", world.Person(other), world.Person(i%crowdSize))
			}
			owner[secret] = i % crowdSize
		}
		// Codes of six digits may meet by chance; two people's must differ here.
		codes := make([]string, crowdSize)
		for i := range codes {
			codes[i] = w.CodeAt(w.Cognito.PendingSecret(world.Optional, world.Person(i)), 0)
		}
		fits := func(i int, code string) bool {
			secret := w.Cognito.PendingSecret(world.Optional, world.Person(i))
			for _, off := range []int{-1, 0, 1} {
				if w.CodeAt(secret, time.Duration(off)*30*time.Second) == code {
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
		verifies := world.Together(2*crowdSize, func(i int) world.Reply {
			if i < crowdSize {
				return w.Verify(tokens[i], world.Object{"code": codes[i]})
			}
			return w.Verify(tokens[neighbour(i-crowdSize)], world.Object{"code": codes[i-crowdSize]})
		})
		for i, r := range verifies {
			switch {
			case i < crowdSize && r.Status != 200:
				t.Errorf("%s cannot finish: %d %s", world.Person(i), r.Status, r.Body)
			case i >= crowdSize && foreign[i-crowdSize] && r.Status/100 != 4:
				t.Errorf("%s finished with the code of %s: %d", world.Person(neighbour(i-crowdSize)), world.Person(i-crowdSize), r.Status)
			}
		}
		for i := range crowdSize {
			if got := owner[w.Cognito.TOTPSecret(world.Optional, world.Person(i))]; got != i {
				t.Errorf("%s has the secret of %s", world.Person(i), fmt.Sprint(got))
			}
		}
	})
}
