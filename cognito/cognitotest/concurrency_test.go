package cognitotest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

func TestManyPeopleEnrollAtOnce(t *testing.T) {
	const people = 20
	s := start(t, changePool(optional, func(p *cognitotest.Pool) {
		for n := range people {
			p.Users = append(p.Users, user(fmt.Sprintf("user-%d", n)))
		}
	}))
	var wg sync.WaitGroup
	for n := range people {
		wg.Go(func() {
			name := fmt.Sprintf("user-%d", n)
			token := s.SignIn(optional, optionalClient, name).AccessToken
			associated, err := s.associateByToken(t, token)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.verifyByToken(t, token, s.code(t, *associated.SecretCode, 0)); err != nil {
				t.Error(err)
			}
			if err := s.prefer(t, token, softwareToken(true, true)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for n := range people {
		if !s.MFAEnabled(optional, fmt.Sprintf("user-%d", n)) {
			t.Errorf("user-%d has no authenticator app", n)
		}
	}
	if n := s.Calls(""); n != 3*people {
		t.Errorf("counted %d calls, want %d", n, 3*people)
	}
}

func TestASessionIsUsedOnceHoweverManyTryAtOnce(t *testing.T) {
	s := start(t)
	session := s.Session(required, requiredClient, "ada")
	var mu sync.Mutex
	var got int
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, err := s.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{Session: aws.String(session)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				got++
			} else if !isException(err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got != 1 {
		t.Errorf("%d calls got through, want 1", got)
	}
}
