package cognitotest_test

import (
	"strings"
	"testing"
	"time"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

func TestTheAdminAddressRefusesValuesThatCannotBe(t *testing.T) {
	s := start(t)
	ask := s.steer(t)
	for _, test := range []struct{ method, path, body, want string }{
		{"PUT", "/variants", `{"SessionLength":-5}`, "SessionLength -5: want 20 to 65536"},
		{"PUT", "/variants", `{"SessionLength":19}`, "SessionLength 19"},
		{"PUT", "/variants", `{"SessionLength":65537}`, "SessionLength 65537"},
		{"POST", "/faults", `{"Faults":[{},{"Status":50}]}`, "Status 50: want 200 to 599"},
		{"POST", "/faults", `{"Faults":[{"Status":-1}]}`, "Status -1"},
		{"POST", "/faults", `{"Faults":[{"Status":1000,"Exception":"X"}]}`, "Status 1000"},
		{"POST", "/faults", `{"Faults":[{"Delay":"-1s"}]}`, "Delay -1s"},
		{"POST", "/faults", `{"Operation":"NoSuch"}`, "no operation NoSuch"},
		{"PUT", "/quota", `{"UserRead":-1}`, "UserRead -1"},
		{"PUT", "/quota", `{"UserResourceUpdate":-1}`, "UserResourceUpdate -1"},
		{"PUT", "/quota", `{"UserAuthentication":-1}`, "UserAuthentication -1"},
		{"PUT", "/latency", `{"Min":"-1ms"}`, "Min -1ms"},
		{"PUT", "/latency", `{"Max":"-1ms"}`, "Max -1ms"},
		{"POST", "/clock", `{"Advance":"1000000h"}`, "want no more than a century"},
		{"POST", "/clock", `{"Advance":"-1000000h"}`, "want no more than a century"},
		{"POST", "/authorization-codes", `{"Client":"demo-optional","Username":"ada","CodeChallenge":"short"}`, "CodeChallenge"},
		{"PUT", "/quota", `{"UserRead":1} {}`, "after top-level value"},
	} {
		status, answer := ask(test.method, test.path, test.body)
		if text, _ := answer["error"].(string); status != 400 || !strings.Contains(text, test.want) {
			t.Errorf("%s %s %s: %d %v, want %s", test.method, test.path, test.body, status, answer, test.want)
		}
	}
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	if err := s.getUser(t, token); err != nil {
		t.Errorf("what was refused counts: %v", err)
	}
	must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
}

func TestValuesThatCannotBeAreRefusedInGoToo(t *testing.T) {
	for name, o := range map[string]cognitotest.Options{
		"SessionLength": {Variants: cognitotest.Variants{SessionLength: 5}},
		"UserRead":      {Quota: cognitotest.Quota{UserRead: -1}},
		"Min":           {Latency: cognitotest.Latency{Min: -time.Second}},
	} {
		o.Pools = []cognitotest.Pool{}
		if _, err := cognitotest.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := empty(t)
	for name, set := range map[string]func(){
		"SetVariants": func() { s.SetVariants(cognitotest.Variants{SessionLength: 5}) },
		"SetQuota":    func() { s.SetQuota(cognitotest.Quota{UserRead: -1}) },
		"SetLatency":  func() { s.SetLatency(cognitotest.Latency{Min: -time.Second}) },
		"Fail":        func() { s.Fail("", cognitotest.Fault{Status: 50}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			set()
		}()
	}
}
