package cognitotest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

func TestIssuersByPartition(t *testing.T) {
	for region, suffix := range map[string]string{
		"us-east-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn",
		"us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov", "eusc-de-east-1": "amazonaws.eu",
	} {
		pool := region + "_Pool"
		s := start(t, func(o *cognitotest.Options) {
			o.Region = region
			o.Pools = []cognitotest.Pool{{ID: pool, Clients: []cognitotest.Client{{ID: "client"}}, Users: []cognitotest.User{{Username: "ada"}}}}
		})
		for issuer, host := range map[cognitotest.IssuerType]string{
			cognitotest.IssuerOriginal: "https://cognito-idp.", cognitotest.IssuerUpdated: "https://issuer-cognito-idp.",
		} {
			s.SetIssuerType(pool, issuer)
			want := host + region + "." + suffix + "/" + pool
			if got := part(t, s.SignIn(pool, "client", "ada").AccessToken, 1)["iss"]; got != want {
				t.Errorf("%s: got %v, want %s", issuer, got, want)
			}
		}
	}
}

func TestAPoolIsSwitchedWhilePeopleHoldTokens(t *testing.T) {
	s := start(t)
	const original, updated = "https://cognito-idp.us-east-1.amazonaws.com/", "https://issuer-cognito-idp.us-east-1.amazonaws.com/"
	old := s.SignIn(optional, optionalClient, "ada")
	s.SetIssuerType(optional, cognitotest.IssuerUpdated)
	out := must[*cip.InitiateAuthOutput](t)(s.refresh(t, optionalClient, old.RefreshToken, nil))
	renewed := aws.ToString(out.AuthenticationResult.AccessToken)
	before, after := part(t, old.AccessToken, 1), part(t, renewed, 1)
	if before["iss"] != original+optional || after["iss"] != updated+optional {
		t.Errorf("issuers %v and %v", before["iss"], after["iss"])
	}
	if before["sub"] != after["sub"] || before["origin_jti"] != after["origin_jti"] || before["auth_time"] != after["auth_time"] {
		t.Error("the refreshed token is of another sign-in")
	}
	for name, token := range map[string]string{"original": old.AccessToken, "updated": renewed} {
		if err := s.getUser(t, token); err != nil {
			t.Errorf("the token of the %s issuer: %v", name, err)
		}
	}
}

// documentAt fetches a pool's document as from one of AWS's hosts.
func (s *standIn) documentAt(t *testing.T, host, path string) (int, string) {
	t.Helper()
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil))
	req.Host = host
	res := must[*http.Response](t)(http.DefaultClient.Do(req))
	defer func() { _ = res.Body.Close() }()
	var document struct {
		Issuer string            `json:"issuer"`
		Keys   []json.RawMessage `json:"keys"`
	}
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&document); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "jwks.json") && len(document.Keys) == 0 {
			t.Errorf("%s has no keys", path)
		}
	}
	return res.StatusCode, document.Issuer
}

func TestTheHostOfUpdatedIssuersKnowsOnlySwitchedPools(t *testing.T) {
	const host = "issuer-cognito-idp.us-east-1.amazonaws.com"
	s := start(t, changePool(required, func(p *cognitotest.Pool) { p.IssuerType = cognitotest.IssuerUpdated }))
	for _, document := range []string{"/.well-known/jwks.json", "/.well-known/openid-configuration"} {
		if status, _ := s.documentAt(t, host, "/"+optional+document); status != http.StatusForbidden {
			t.Errorf("%s of a pool that was not switched: %d, want 403", document, status)
		}
		if status, _ := s.documentAt(t, host, "/"+required+document); status != http.StatusOK {
			t.Errorf("%s of a switched pool: %d, want 200", document, status)
		}
		if status, _ := s.documentAt(t, "cognito-idp.us-east-1.amazonaws.com", "/"+required+document); status != http.StatusOK {
			t.Errorf("%s of a switched pool at the original host: %d, want 200", document, status)
		}
	}
	if _, issuer := s.documentAt(t, host, "/"+required+"/.well-known/openid-configuration"); issuer != "https://"+host+"/"+required {
		t.Errorf("issuer %q", issuer)
	}
}
