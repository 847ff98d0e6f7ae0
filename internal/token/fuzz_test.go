package token_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// FuzzVerify feeds what a stranger may send. None of it is signed by a pool, so
// nothing of it may be accepted, and no error may be anything but the domain's.
func FuzzVerify(f *testing.F) {
	v := readyVerifier(f, noon)
	genuine := accessTokenClaims(noon)
	for _, seed := range []string{
		"", ".", "..", "....", "a.b.c", strings.Repeat(".", 9000),
		strayKey().token(genuine),
		compact(homeKey().header(), genuine.json(), strayKey().rs256),
		compact(`{"alg":"none","kid":"home-key"}`, genuine.json(), func(string) []byte { return nil }),
		compact(`{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`, "x", func(string) []byte { return []byte("y") }) + ".eg.eg",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := v.Verify(t.Context(), token)
		if err == nil || !reflect.DeepEqual(id, enroll.Identity{}) {
			t.Fatal("accepted a token that nobody signed")
		}
		if _, ok := errors.AsType[*enroll.Error](err); !ok {
			t.Errorf("error %T, want *enroll.Error", err)
		}
	})
}

// FuzzVerifySignedClaims feeds claims of any form under a genuine signature. It
// reads those that are accepted a second time, by encoding/json, and holds them
// to what every access token must have. Signing makes the coverage noisy, so run
// it with -fuzzminimizetime=10x: otherwise it spends its time on minimizing.
func FuzzVerifySignedClaims(f *testing.F) {
	v := readyVerifier(f, noon)
	genuine := accessTokenClaims(noon)
	for _, seed := range []string{
		"", "null", "{}", "[]", "{}{}", genuine.json(), " " + genuine.json() + "\n",
		genuine.with("token_use", "id").json(), genuine.without("scope").json(),
		genuine.with("exp", json.RawMessage("1e300")).json(), genuine.with("exp", 253402300799).json(),
		strings.TrimSuffix(genuine.json(), "}") + `,"\u0073ub":"root"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		id, err := v.Verify(t.Context(), compact(homeKey().header(), string(payload), homeKey().rs256))
		if err != nil {
			if _, ok := errors.AsType[*enroll.Error](err); !ok {
				t.Errorf("error %T, want *enroll.Error", err)
			}
			return
		}
		var got map[string]any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("accepted claims that are no JSON object: %v", err)
		}
		exp, _ := got["exp"].(float64)
		scope, _ := got["scope"].(string)
		switch {
		case got["iss"] != homeIssuer && got["iss"] != homeUpdated && got["iss"] != sisterIssuer:
			t.Errorf("accepted iss %v", got["iss"])
		case (got["iss"] == sisterIssuer) != (id.PoolID == "eu-central-1_Sister"):
			t.Errorf("the pool of iss %v is %s", got["iss"], id.PoolID)
		case got["sub"] != id.Subject || got["username"] != id.Username || got["client_id"] != id.ClientID:
			t.Errorf("the identity %+v is not that of the claims", id)
		case id.Subject == "" || id.Username == "":
			t.Errorf("the identity %+v lacks a name", id)
		case id.ClientID != homeClient && id.ClientID != sisterClient:
			t.Errorf("accepted a client that is not configured")
		case got["token_use"] != "access":
			t.Errorf("accepted token_use %v", got["token_use"])
		case int64(exp) != id.Expiry.Unix() || !id.Expiry.After(noon.Add(-time.Minute)):
			t.Errorf("accepted exp %v", got["exp"])
		case !strings.Contains(" "+scope+" ", " aws.cognito.signin.user.admin "):
			t.Errorf("accepted scope %q", scope)
		}
	})
}
