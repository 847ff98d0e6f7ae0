package cognitotest_test

import (
	"net/http"
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

func TestWordsThatTheAPIDoesNotHave(t *testing.T) {
	s := start(t)
	const pool, client, named = `"PoolName":"x"`, `"UserPoolId":"us-east-1_Optional","ClientName":"x"`, `"UserPoolId":"us-east-1_Optional"`
	const enum = "failed to satisfy constraint: Member must satisfy enum value set: ["
	const list = "failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: ["
	for _, test := range []struct{ operation, body, want string }{
		{"CreateUserPool", pool + `,"MfaConfiguration":"false"`, "Value 'false' at 'mfaConfiguration' " + enum + "OPTIONAL, OFF, ON]"},
		{"CreateUserPool", pool + `,"UserPoolTier":"GOLD"`, "Value 'GOLD' at 'userPoolTier' " + enum},
		{"CreateUserPool", pool + `,"AliasAttributes":["name"]`, "Value '[name]' at 'aliasAttributes' " + list},
		{"CreateUserPool", pool + `,"UsernameAttributes":["email","name"]`, "Value '[email, name]' at 'usernameAttributes' " + list},
		{"CreateUserPool", pool + `,"AutoVerifiedAttributes":["name"]`, "Value '[name]' at 'autoVerifiedAttributes' " + list},
		{"CreateUserPool", pool + `,"IssuerConfiguration":{"Type":"OTHER"}`, "Value 'OTHER' at 'issuerConfiguration.type' " + enum},
		{"CreateUserPool", pool + `,"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":["SMELL"]}}`,
			"Value '[SMELL]' at 'policies.signInPolicy.allowedFirstAuthFactors' " + list},
		{"CreateUserPool", pool + `,"UserPoolTier":"GOLD","MfaConfiguration":"false"`, "2 validation errors detected: "},
		{"UpdateUserPool", named + `,"UserPoolTier":"GOLD"`, "Value 'GOLD' at 'userPoolTier' " + enum},
		{"UpdateUserPool", named + `,"IssuerConfiguration":{"Type":"OTHER"}`, "Value 'OTHER' at 'issuerConfiguration.type' " + enum},
		{"SetUserPoolMfaConfig", named + `,"MfaConfiguration":"false"`, "Value 'false' at 'mfaConfiguration' " + enum + "OPTIONAL, OFF, ON]"},
		{"CreateUserPoolClient", client + `,"ExplicitAuthFlows":["ALLOW_NOTHING","ALLOW_REFRESH_TOKEN_AUTH"]`,
			"Value '[ALLOW_NOTHING, ALLOW_REFRESH_TOKEN_AUTH]' at 'explicitAuthFlows' " + list},
		{"CreateUserPoolClient", client + `,"PreventUserExistenceErrors":"MAYBE"`, "Value 'MAYBE' at 'preventUserExistenceErrors' " + enum},
		{"CreateUserPoolClient", client + `,"TokenValidityUnits":{"AccessToken":"years"}`, "Value 'years' at 'tokenValidityUnits.accessToken' " + enum},
		{"CreateUserPoolClient", client + `,"TokenValidityUnits":{"IdToken":"years"}`, "Value 'years' at 'tokenValidityUnits.idToken' " + enum},
		{"CreateUserPoolClient", client + `,"TokenValidityUnits":{"RefreshToken":"years"}`, "Value 'years' at 'tokenValidityUnits.refreshToken' " + enum},
		{"CreateUserPoolClient", client + `,"AccessTokenValidity":-5`, "Value '-5' at 'accessTokenValidity' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"CreateUserPoolClient", client + `,"IdTokenValidity":86401`, "Value '86401' at 'idTokenValidity' failed to satisfy constraint: Member must have value less than or equal to 86400"},
		{"CreateUserPoolClient", client + `,"RefreshTokenValidity":-1`, "Value '-1' at 'refreshTokenValidity' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		{"CreateUserPoolClient", client + `,"AuthSessionValidity":2`, "Value '2' at 'authSessionValidity' failed to satisfy constraint: Member must have value greater than or equal to 3"},
		{"CreateUserPoolClient", client + `,"AccessTokenValidity":2,"TokenValidityUnits":{"AccessToken":"days"}`, "Invalid range for token validity."},
		{"CreateUserPoolClient", client + `,"RefreshTokenValidity":315360000`, "Invalid range for token validity."},
		{"CreateUserPoolClient", client + `,"ExplicitAuthFlows":["USER_PASSWORD_AUTH","ALLOW_REFRESH_TOKEN_AUTH"]`, "ExplicitAuthFlows"},
		{"AdminCreateUser", named + `,"Username":"new","MessageAction":"SHOUT"`, "Value 'SHOUT' at 'messageAction' " + enum},
		{"AdminCreateUser", named + `,"Username":"new","DesiredDeliveryMediums":["PIGEON"]`, "Value '[PIGEON]' at 'desiredDeliveryMediums' " + list},
	} {
		res, body := postSigned(t, s, test.operation, "{"+test.body+"}")
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `"InvalidParameterException"`) || !strings.Contains(body, test.want) {
			t.Errorf("%s {%s}: %s want %s", test.operation, test.body, body, test.want)
		}
	}
}

func TestWordsThatAFileCannotHave(t *testing.T) {
	const pool = `{"Pools":[{"ID":"us-east-1_One",`
	for text, want := range map[string]string{
		pool + `"MFA":"SOMETIMES"}]}`:                                                           "Value 'SOMETIMES' at 'mfaConfiguration'",
		pool + `"Factors":["SMS"]}]}`:                                                           "Value '[SMS]' at 'factors'",
		pool + `"Tier":"GOLD"}]}`:                                                               "Value 'GOLD' at 'userPoolTier'",
		pool + `"IssuerType":"OTHER"}]}`:                                                        "Value 'OTHER' at 'issuerConfiguration.type'",
		pool + `"AliasAttributes":["name"]}]}`:                                                  "Value '[name]' at 'aliasAttributes'",
		pool + `"UsernameAttributes":["name"]}]}`:                                               "Value '[name]' at 'usernameAttributes'",
		pool + `"AutoVerifiedAttributes":["x"]}]}`:                                              "Value '[x]' at 'autoVerifiedAttributes'",
		pool + `"FirstFactors":["SMELL"]}]}`:                                                    "Value '[SMELL]' at 'policies.signInPolicy.allowedFirstAuthFactors'",
		pool + `"Clients":[{"ID":"c","AuthFlows":["ALLOW_NOTHING"]}]}]}`:                        "client c of pool us-east-1_One: Value '[ALLOW_NOTHING]' at 'explicitAuthFlows'",
		pool + `"Clients":[{"ID":"c","AuthFlows":["USER_PASSWORD_AUTH","ALLOW_USER_AUTH"]}]}]}`: "ExplicitAuthFlows",
		pool + `"Clients":[{"ID":"c","AuthSessionValidity":"-5m"}]}]}`:                          "client c of pool us-east-1_One: AuthSessionValidity -5m0s",
		pool + `"Clients":[{"ID":"c","AccessTokenValidity":"-5m"}]}]}`:                          "AccessTokenValidity -5m0s",
		pool + `"Clients":[{"ID":"c","RefreshTokenValidity":"-5m"}]}]}`:                         "RefreshTokenValidity -5m0s",
		pool + `"Users":[{"Username":"ada","Preferred":"PIGEON"}]}]}`:                           `user "ada" of pool us-east-1_One: Value 'PIGEON' at 'preferred'`,
		pool + `"Users":[{"Username":"ada","Factors":["SMS"]}]}]}`:                              `user "ada" of pool us-east-1_One: Value '[SMS]' at 'factors'`,
	} {
		state, err := cognitotest.ReadState([]byte(text))
		if err == nil {
			err = empty(t).Load(state)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestALoadThatIsRefusedChangesNothing(t *testing.T) {
	s := start(t)
	err := s.Load(cognitotest.State{Pools: []cognitotest.Pool{{ID: "us-east-1_Optional", Tier: "GOLD"}}})
	if err == nil {
		t.Fatal("it was loaded")
	}
	if err := s.getUser(t, s.SignIn(optional, optionalClient, "ada").AccessToken); err != nil {
		t.Error(err)
	}
}
