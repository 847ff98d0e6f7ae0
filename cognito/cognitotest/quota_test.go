package cognitotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

// getThrough makes calls until the first is refused for the quota.
func getThrough(t *testing.T, call func() error) int {
	t.Helper()
	for n := range 1000 {
		if err := call(); err != nil {
			wantException(t, err, "TooManyRequestsException", "Rate exceeded")
			return n
		}
	}
	t.Fatal("a thousand calls got through")
	return 0
}

func TestTheQuotaOfCognito(t *testing.T) {
	s := start(t, func(o *cognitotest.Options) { o.Quota = cognitotest.CognitoQuota() })
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	associate := func() error { _, err := s.associateByToken(t, token); return err }
	getUser := func() error {
		_, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)})
		return err
	}

	if n := getThrough(t, associate); n != 25 {
		t.Errorf("%d writes got through, want 25", n)
	}
	wantException(t, s.prefer(t, token, softwareToken(false, false)), "TooManyRequestsException", "Rate exceeded")
	if n := getThrough(t, getUser); n != 120 {
		t.Errorf("%d reads got through, want 120", n)
	}
	if a, p, all := s.Refused("AssociateSoftwareToken"), s.Refused("SetUserMFAPreference"), s.Refused(""); a != 1 || p != 1 || all != 3 {
		t.Errorf("refused %d, %d and %d in all, want 1, 1 and 3", a, p, all)
	}

	s.clock.advance(400 * time.Millisecond)
	if n := getThrough(t, associate); n != 10 {
		t.Errorf("%d writes got through after 400 ms, want 10", n)
	}
	s.clock.advance(time.Minute)
	if n := getThrough(t, associate); n != 25 {
		t.Errorf("%d writes got through after a minute, want 25", n)
	}
}

func TestSomebodyElseSpendsTheSharedQuota(t *testing.T) {
	s := start(t, func(o *cognitotest.Options) { o.Quota = cognitotest.CognitoQuota() })
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	associate := func() error { _, err := s.associateByToken(t, token); return err }
	s.Spend(15)
	if n := getThrough(t, associate); n != 10 {
		t.Errorf("%d writes got through, want 10", n)
	}
	s.clock.advance(time.Second)
	s.Spend(100)
	if n := getThrough(t, associate); n != 0 {
		t.Errorf("%d writes got through, want none", n)
	}
	s.SetQuota(cognitotest.Quota{})
	for range 50 {
		if err := associate(); err != nil {
			t.Fatalf("without a quota: %v", err)
		}
	}
}
