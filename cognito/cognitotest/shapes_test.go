package cognitotest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// What requests break of the API's model, and the values that the messages show:
// anomalyco/guide#127 has a pool's ID, boto/boto3#3581 a client's, boto/boto3#2951
// a username, which is in none.
func TestWhatRequestsBreakOfTheModel(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	const user, client, must = `"UserPoolId":"us-east-1_Optional","Username":"new"`, `"ClientId":"demo-optional","Username":"new"`, "failed to satisfy constraint: Member must "
	const usernames, passwords = `satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`, `satisfy regular expression pattern: ^[\S]+.*[\S]+$`
	for _, test := range []struct{ operation, body, want string }{
		{"AdminGetUser", `"UserPoolId":"us-east-1","Username":"x"`, `1 validation error detected: Value 'us-east-1' at 'userPoolId' ` + must + `satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+`},
		{"AdminGetUser", `"UserPoolId":"us-east-1_Optional","Username":""`,
			"2 validation errors detected: Value at 'username' " + must + "have length greater than or equal to 1; Value at 'username' " + must + usernames},
		{"AdminCreateUser", `"UserPoolId":"us-east-1_Optional","Username":"ada lovelace"`, "Value at 'username' " + must + usernames},
		{"SignUp", `"ClientId":"demo-optional","Username":"ada lovelace","Password":"Correct-Horse-1"`, "Value at 'username' " + must + usernames},
		{"SignUp", client + `,"Password":" Correct-Horse-1"`, "Value at 'password' " + must + passwords},
		{"AdminSetUserPassword", user + `,"Password":""`, "1 validation error detected: Value at 'password' " + must + passwords},
		{"AdminSetUserPassword", user, "1 validation error detected: Value at 'password' " + must + "not be null"},
		{"SignUp", client + `,"Password":"Aa1-` + strings.Repeat("x", 253) + `"`, "Value at 'password' " + must + "have length less than or equal to 256"},
		{"SignUp", client + `,"Password":"Correct-Horse-1","SecretHash":""`, "Value at 'secretHash' " + must + "have length greater than or equal to 1"},
		{"SignUp", client + `,"Password":"Correct-Horse-1","UserAttributes":[{"Name":"email"},{"Value":"x"}]`, "Value null at 'userAttributes.2.member.name' " + must + "not be null"},
		{"AdminCreateUser", user + `,"UserAttributes":[{"Name":null,"Value":"x"}]`, "Value null at 'userAttributes.1.member.name' " + must + "not be null"},
		{"AdminCreateUser", user + `,"TemporaryPassword":"Correct-Horse-1 "`, "Value at 'temporaryPassword' " + must + passwords},
		{"AdminCreateUser", user + `,"UserAttributes":[{"Name":"","Value":"x"}]`, "Value '' at 'userAttributes.1.member.name' " + must + "have length greater than or equal to 1"},
		{"AdminCreateUser", user + `,"UserAttributes":[{"Name":"name","Value":"` + strings.Repeat("x", 2049) + `"}]`, "Value at 'userAttributes.1.member.value' " + must + "have length less than or equal to 2048"},
		{"ChangePassword", `"AccessToken":"` + token + `","PreviousPassword":"x","ProposedPassword":"Correct-Horse-2"`, "Value at 'previousPassword' " + must + passwords},
		{"ConfirmSignUp", client + `,"ConfirmationCode":"1 12 123"`, `Value '1 12 123' at 'confirmationCode' ` + must + `satisfy regular expression pattern: [\S]+`},
		{"ConfirmForgotPassword", client + `,"Password":"Correct-Horse-2","ConfirmationCode":""`, "Value '' at 'confirmationCode' " + must + "have length greater than or equal to 1"},
		{"GetTokensFromRefreshToken", `"ClientId":"demo-optional","RefreshToken":"x","DeviceKey":"us-east-1"`, `Value 'us-east-1' at 'deviceKey' ` + must + `satisfy regular expression pattern: [\w-]+_[0-9a-f-]+`},
		{"AssociateSoftwareToken", `"AccessToken":"` + token + `","Session":""`, "Value at 'session' " + must + "have length greater than or equal to 20"},
		{"ListDevices", `"AccessToken":"` + token + `","Limit":61`, "Value '61' at 'limit' " + must + "have value less than or equal to 60"},
		{"CreateUserPool", `"PoolName":"x","MfaConfiguration":""`, "Value '' at 'mfaConfiguration' " + must + "satisfy enum value set: ["},
		{"CreateUserPool", `"PoolName":"x","UsernameConfiguration":{}`, "Value null at 'usernameConfiguration.caseSensitive' " + must + "not be null"},
		{"CreateUserPool", `"PoolName":"x","Policies":{"PasswordPolicy":{"MinimumLength":5}}`, "Value '5' at 'policies.passwordPolicy.minimumLength' " + must + "have value greater than or equal to 6"},
		{"CreateUserPool", `"PoolName":"x","Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":366}}`, "'policies.passwordPolicy.temporaryPasswordValidityDays' " + must + "have value less than or equal to 365"},
		{"CreateUserPool", `"PoolName":"x","Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":[]}}`, "Value '[]' at 'policies.signInPolicy.allowedFirstAuthFactors' " + must + "have length greater than or equal to 1"},
		{"UpdateUserPool", `"UserPoolId":"us-east-1_Optional","PoolName":"a/b"`, "Value 'a/b' at 'poolName' " + must + "satisfy regular expression pattern: "},
		{"CreateUserPoolClient", `"UserPoolId":"us-east-1_Optional","ClientName":"x","ClientSecret":"short"`, "Value at 'clientSecret' " + must + "have length greater than or equal to 24"},
		{"CreateUserPoolClient", `"UserPoolId":"us-east-1_Optional","ClientName":"x","AccessTokenValidity":0`, "Value '0' at 'accessTokenValidity' " + must + "have value greater than or equal to 1"},
	} {
		res, answer := postSigned(t, s, test.operation, "{"+test.body+"}")
		var said struct{ Message string }
		if err := json.Unmarshal([]byte(answer), &said); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(answer, `"InvalidParameterException"`) || !strings.Contains(said.Message, test.want) {
			t.Errorf("%s {%s}: %s want %s", test.operation, test.body, answer, test.want)
		}
	}
}

func TestAMemberThatIsNullIsNotThere(t *testing.T) {
	s := start(t)
	for _, test := range []struct{ operation, body, lacks string }{
		{"CreateUserPool", `"PoolName":"x","Policies":null,"Schema":null,"UserPoolTags":{"a":null}`, "null"},
		{"CreateUserPool", `"PoolName":"x","Policies":{"PasswordPolicy":null,"SignInPolicy":null}`, "null"},
		{"CreateUserPoolClient", `"UserPoolId":"us-east-1_Optional","ClientName":"x","CallbackURLs":null`, "null"},
		{"SetUserPoolMfaConfig", `"UserPoolId":"us-east-1_Optional","MfaConfiguration":"OPTIONAL","SoftwareTokenMfaConfiguration":{"Enabled":true},"SmsMfaConfiguration":null`, "Sms"},
	} {
		res, answer := postSigned(t, s, test.operation, "{"+test.body+"}")
		if res.StatusCode != http.StatusOK || strings.Contains(answer, test.lacks) {
			t.Errorf("%s {%s}: %s", test.operation, test.body, answer)
		}
	}
	if _, answer := postSigned(t, s, "CreateUserPool", `{"PoolName":"x","MfaConfiguration":"OPTIONAL","SmsConfiguration":null}`); !strings.Contains(answer, "SMS configuration") {
		t.Errorf("a pool with MFA and without SMS: %s", answer)
	}
}
