package cognitotest_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestNamesAreComparedAsTheyAre(t *testing.T) {
	const prefix = "AWSCognitoIdentityProviderService."
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	for name, test := range map[string]struct {
		target, body, exception string
	}{
		"a target without its prefix":        {"GetUser", `{"AccessToken":"` + token + `"}`, "UnknownOperationException"},
		"a target of another service":        {"AWSCognitoIdentityService.GetUser", `{"AccessToken":"` + token + `"}`, "UnknownOperationException"},
		"a target in another case":           {prefix + "getUser", `{"AccessToken":"` + token + `"}`, "UnknownOperationException"},
		"a member in another case":           {prefix + "GetUser", `{"accessToken":"` + token + `"}`, "InvalidParameterException"},
		"members of a pool in another case":  {prefix + "AdminGetUser", `{"userpoolid":"us-east-1_Optional","USERNAME":"ada"}`, "InvalidParameterException"},
		"a member of CreateUserPool":         {prefix + "CreateUserPool", `{"poolName":"x"}`, "InvalidParameterException"},
		"a member of CreateUserPoolClient":   {prefix + "CreateUserPoolClient", `{"UserPoolId":"us-east-1_Optional","clientName":"x"}`, "InvalidParameterException"},
		"data after the request":             {prefix + "GetUser", `{"AccessToken":"` + token + `"} {}`, "SerializationException"},
		"a member that nobody knows":         {prefix + "GetUser", `{"AccessToken":"` + token + `","Colour":[1]}`, ""},
		"a member twice":                     {prefix + "GetUser", `{"AccessToken":"x","AccessToken":"` + token + `"}`, ""},
		"a member that is null":              {prefix + "GetUser", `{"AccessToken":null}`, "InvalidParameterException"},
		"bytes that are not UTF-8":           {prefix + "GetUser", "{\"AccessToken\":\"" + token + "\",\"Other\":\"\xff\"}", ""},
		"a member of an attribute, misspelt": {prefix + "AdminUpdateUserAttributes", `{"UserPoolId":"us-east-1_Optional","Username":"ada","UserAttributes":[{"name":"a","Value":"b"}]}`, "InvalidParameterException"},
		"a setting that only describes":      {prefix + "CreateUserPool", `{"PoolName":"x","UserPoolTags":{"a":"b"}}`, ""},
		"UserPoolId's neighbours are kept":   {prefix + "CreateUserPool", `{"PoolName":"x","UserPoolAddOns":{"AdvancedSecurityMode":"OFF"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := send(t, s, test.target, "AWS4-HMAC-SHA256 Credential=any, Signature=any", test.body)
			if got := strings.TrimSuffix(res.Header.Get("X-Amzn-ErrorType"), ":"); got != test.exception || (got == "") != (res.StatusCode == http.StatusOK) {
				t.Errorf("%s %s, want %q", res.Status, body, test.exception)
			}
		})
	}
}
