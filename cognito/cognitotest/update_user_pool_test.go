package cognitotest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

func TestUpdatingAPoolChangesMFAAndKeepsItsMessages(t *testing.T) {
	x := empty(t).make(t, made{mfa: types.UserPoolMfaTypeOptional, pool: func(in *cip.CreateUserPoolInput) {
		in.Policies = &types.UserPoolPolicyType{
			PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(12)},
			SignInPolicy:   &types.SignInPolicyType{AllowedFirstAuthFactors: []types.AuthFactorType{"PASSWORD", "EMAIL_OTP"}},
		}
		in.Schema = []types.SchemaAttributeType{{Name: aws.String("colour"), AttributeDataType: types.AttributeDataTypeString}}
	}})
	must[*cip.SetUserPoolMfaConfigOutput](t)(x.admin.SetUserPoolMfaConfig(t.Context(), &cip.SetUserPoolMfaConfigInput{
		UserPoolId: &x.pool, MfaConfiguration: types.UserPoolMfaTypeOptional,
		SmsMfaConfiguration:   &types.SmsMfaConfigType{SmsAuthenticationMessage: aws.String("SMS {####}")},
		EmailMfaConfiguration: &types.EmailMfaConfigType{Message: aws.String("Mail {####}")},
	}))
	update := func(mfa types.UserPoolMfaType) error {
		_, err := x.admin.UpdateUserPool(t.Context(), &cip.UpdateUserPoolInput{UserPoolId: &x.pool, PoolName: aws.String("after " + string(mfa)), MfaConfiguration: mfa})
		return err
	}
	config := func() *cip.GetUserPoolMfaConfigOutput {
		return must[*cip.GetUserPoolMfaConfigOutput](t)(x.admin.GetUserPoolMfaConfig(t.Context(), &cip.GetUserPoolMfaConfigInput{UserPoolId: &x.pool}))
	}
	describe := func() *types.UserPoolType {
		return must[*cip.DescribeUserPoolOutput](t)(x.admin.DescribeUserPool(t.Context(), &cip.DescribeUserPoolInput{UserPoolId: &x.pool})).UserPool
	}
	if err := update(""); err != nil {
		t.Fatal(err)
	}
	got := config()
	if got.MfaConfiguration != types.UserPoolMfaTypeOptional || got.SmsMfaConfiguration == nil || aws.ToString(got.SmsMfaConfiguration.SmsAuthenticationMessage) != "SMS {####}" ||
		got.EmailMfaConfiguration == nil || aws.ToString(got.EmailMfaConfiguration.Message) != "Mail {####}" {
		t.Errorf("messages %+v and %+v", got.SmsMfaConfiguration, got.EmailMfaConfiguration)
	}
	if p := describe(); *p.Policies.PasswordPolicy.MinimumLength != 12 || len(p.Policies.SignInPolicy.AllowedFirstAuthFactors) != 2 || len(p.SchemaAttributes) != 1 {
		t.Errorf("policies %+v, schema %+v", p.Policies.SignInPolicy, p.SchemaAttributes)
	}

	wantException(t, update(types.UserPoolMfaTypeOn), "InvalidParameterException", "Cannot turn MFA functionality ON, once the user pool has been created.")
	wantException(t, update("SOME"), "InvalidParameterException", "")
	if p := describe(); *p.Name != "after " || p.MfaConfiguration != types.UserPoolMfaTypeOptional {
		t.Errorf("a refused update left %s with MFA %s", *p.Name, p.MfaConfiguration)
	}
	if err := update(types.UserPoolMfaTypeOff); err != nil {
		t.Fatal(err)
	}
	if got := config(); got.MfaConfiguration != types.UserPoolMfaTypeOff || got.SmsMfaConfiguration != nil {
		t.Errorf("got %+v", got)
	}
	wantException(t, update(types.UserPoolMfaTypeOptional), "InvalidParameterException",
		"Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.")
	must[*cip.UpdateUserPoolOutput](t)(x.admin.UpdateUserPool(t.Context(), &cip.UpdateUserPoolInput{
		UserPoolId: &x.pool, MfaConfiguration: types.UserPoolMfaTypeOptional,
		SmsConfiguration: &types.SmsConfigurationType{SnsCallerArn: aws.String("arn:aws:iam::000000000000:role/sms")},
	}))
	if got := config(); got.MfaConfiguration != types.UserPoolMfaTypeOptional || got.SmsMfaConfiguration == nil {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsDescribedIsWhatWasAskedFor(t *testing.T) {
	s := empty(t)
	const policies = `{"PasswordPolicy":{"MinimumLength":10,"PasswordHistorySize":3}}`
	const creating = `{"AllowAdminCreateUserOnly":true,"UnusedAccountValidityDays":9}`
	const settings = `"AdminCreateUserConfig":` + creating + `,"Policies":` + policies
	_, answer := postSigned(t, s, "CreateUserPool", `{"PoolName":"x",`+settings+`}`)
	var made struct{ UserPool struct{ ID string } }
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatal(err)
	}
	named := `{"UserPoolId":"` + made.UserPool.ID + `"`
	postSigned(t, s, "SetUserPoolMfaConfig", named+`,"MfaConfiguration":"OPTIONAL","EmailMfaConfiguration":{"Subject":"x"},"SmsMfaConfiguration":{}}`)
	postSigned(t, s, "UpdateUserPool", named+`,`+settings+`}`)
	_, described := postSigned(t, s, "DescribeUserPool", named+`}`)
	for _, text := range []string{answer, described} {
		for _, want := range []string{`"PasswordHistorySize":3`, `"MinimumLength":10`, `"UnusedAccountValidityDays":9`, `"AllowAdminCreateUserOnly":true`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s", text, want)
			}
		}
		// UserPoolType of the model has neither.
		if strings.Contains(text, "SmsMfaConfiguration") || strings.Contains(text, "EmailMfaConfiguration") {
			t.Errorf("%s has what GetUserPoolMfaConfig gives", text)
		}
	}
}

func TestAFileIsDescribedWithoutEmptyMembers(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) {
		p.AliasAttributes, p.AutoVerifiedAttributes, p.CaseInsensitive = []string{"email"}, []string{"email"}, true
		p.Devices = &cognitotest.DeviceConfiguration{ChallengeRequiredOnNewDevice: true}
	}))
	for operation, wants := range map[string][]string{
		"DescribeUserPool": {`"AliasAttributes":["email"]`, `"AutoVerifiedAttributes":["email"]`, `"UsernameConfiguration":{"CaseSensitive":false}`,
			`"DeviceConfiguration":{"ChallengeRequiredOnNewDevice":true,`},
		"DescribeUserPoolClient": {`"PreventUserExistenceErrors":"ENABLED"`},
	} {
		_, answer := postSigned(t, s, operation, `{"UserPoolId":"us-east-1_Optional","ClientId":"demo-optional"}`)
		for _, want := range wants {
			if !strings.Contains(answer, want) {
				t.Errorf("%s lacks %s", answer, want)
			}
		}
		// The model's names are not empty, and its lists not null.
		if strings.Contains(answer, "null") || strings.Contains(answer, `Name":""`) {
			t.Error(answer)
		}
	}
}
