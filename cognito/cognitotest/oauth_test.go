package cognitotest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTheTokenEndpointRefusesWhatDoesNotFitTheCode(t *testing.T) {
	const (
		redirect  = "https://app.example.com"
		verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
		challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	)
	s := start(t)
	for name, test := range map[string]struct {
		change func(url.Values)
		secret string // where it is not the client's
		after  time.Duration
		fault  string
	}{
		"all as it should be":           {},
		"at the last moment":            {after: 5*time.Minute - time.Second},
		"an expired code":               {after: 5 * time.Minute, fault: "invalid_grant"},
		"another redirect URI":          {change: func(v url.Values) { v.Set("redirect_uri", redirect+"/x") }, fault: "invalid_grant"},
		"no redirect URI":               {change: func(v url.Values) { v.Del("redirect_uri") }, fault: "invalid_grant"},
		"another verifier":              {change: func(v url.Values) { v.Set("code_verifier", verifier+"x") }, fault: "invalid_grant"},
		"no verifier":                   {change: func(v url.Values) { v.Del("code_verifier") }, fault: "invalid_grant"},
		"the challenge as the verifier": {change: func(v url.Values) { v.Set("code_verifier", challenge) }, fault: "invalid_grant"},
		"another code":                  {change: func(v url.Values) { v.Set("code", "x") }, fault: "invalid_grant"},
		"no code":                       {change: func(v url.Values) { v.Del("code") }, fault: "invalid_request"},
		"no grant type":                 {change: func(v url.Values) { v.Del("grant_type") }, fault: "invalid_request"},
		"another grant type":            {change: func(v url.Values) { v.Set("grant_type", "x") }, fault: "unsupported_grant_type"},
		"no refresh token":              {change: func(v url.Values) { v.Set("grant_type", "refresh_token") }, fault: "invalid_request"},
		"a wrong secret":                {secret: "wrong", fault: "invalid_client"},
		"no secret":                     {secret: "-", fault: "invalid_client"},
		"a code of another client":      {change: func(v url.Values) { v.Set("client_id", "demo-required-web") }, secret: "-", fault: "invalid_grant"},
		"an unknown client":             {change: func(v url.Values) { v.Set("client_id", "nobody") }, fault: "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{
				"grant_type": {"authorization_code"}, "client_id": {requiredClient}, "client_secret": {requiredSecret},
				"code":         {s.AuthorizationCode(required, requiredClient, "ada", "openid", redirect, challenge)},
				"redirect_uri": {redirect}, "code_verifier": {verifier},
			}
			if test.change != nil {
				test.change(form)
			}
			switch test.secret {
			case "":
			case "-":
				form.Del("client_secret")
			default:
				form.Set("client_secret", test.secret)
			}
			s.clock.advance(test.after)
			res := must[*http.Response](t)(http.Post(s.url+"/oauth2/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())))
			defer func() { _ = res.Body.Close() }()
			var answer struct {
				Error       string `json:"error"`
				AccessToken string `json:"access_token"`
			}
			if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
				t.Fatal(err)
			}
			if answer.Error != test.fault || (answer.AccessToken == "") != (test.fault != "") || (res.StatusCode == http.StatusOK) != (test.fault == "") {
				t.Errorf("%s %q, and a token: %t, want %q", res.Status, answer.Error, answer.AccessToken != "", test.fault)
			}
		})
	}
}
