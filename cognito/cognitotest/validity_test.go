package cognitotest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// life is how long a token lives.
func life(t *testing.T, token string) time.Duration {
	t.Helper()
	claims := part(t, token, 1)
	instant := func(name string) time.Time { return time.Unix(int64(claims[name].(float64)), 0) }
	return instant("exp").Sub(instant("iat"))
}

func TestIDTokensLiveAsLongAsTheClientSays(t *testing.T) {
	x := empty(t).make(t, made{client: func(in *cip.CreateUserPoolClientInput) {
		in.AccessTokenValidity, in.IdTokenValidity = aws.Int32(2), aws.Int32(5)
		in.TokenValidityUnits = &types.TokenValidityUnitsType{IdToken: types.TimeUnitsTypeMinutes}
	}})
	x.create(t, "ada", password)
	signedIn := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult
	refreshed := must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeRefreshTokenAuth, "ada",
		map[string]string{"REFRESH_TOKEN": *signedIn.RefreshToken})).AuthenticationResult
	for name, result := range map[string]*types.AuthenticationResultType{"signed in": signedIn, "refreshed": refreshed} {
		if id, access := life(t, *result.IdToken), life(t, *result.AccessToken); id != 5*time.Minute || access != 2*time.Hour || result.ExpiresIn != 7200 {
			t.Errorf("%s: the ID token lives %s, the access token %s (ExpiresIn %d)", name, id, access, result.ExpiresIn)
		}
	}
	second := empty(t)
	dump := must[[]byte](t)(json.Marshal(x.Dump()))
	if err := second.Load(must[cognitotest.State](t)(cognitotest.ReadState(dump))); err != nil {
		t.Fatal(err)
	}
	if got := life(t, second.SignIn(x.pool, x.client, "ada").IDToken); got != 5*time.Minute {
		t.Errorf("after Load the ID token lives %s", got)
	}
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].AccessTokenValidity = 5 * time.Minute }))
	if got := life(t, s.SignIn(optional, optionalClient, "ada").IDToken); got != time.Hour {
		t.Errorf("an ID token lives %s by default", got)
	}
}
