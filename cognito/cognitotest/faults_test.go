package cognitotest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

func TestAPlanIsTakenOneFaultACall(t *testing.T) {
	s := start(t)
	s.Fail("AssociateSoftwareToken",
		cognitotest.Fault{Exception: "InternalErrorException", Message: "first"},
		cognitotest.Fault{},
		cognitotest.Fault{Exception: "ConcurrentModificationException", Message: "third"},
	)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	_, err := s.associateByToken(t, token)
	wantException(t, err, "InternalErrorException", "first")
	must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token))
	_, err = s.associateByToken(t, token)
	wantException(t, err, "ConcurrentModificationException", "third")
	must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token))
	if n := s.Calls("AssociateSoftwareToken"); n != 4 {
		t.Errorf("counted %d calls, want 4", n)
	}
}

func TestAPlanForAnyOperationSparesThoseWithTheirOwn(t *testing.T) {
	s := start(t)
	s.Fail("GetUser", cognitotest.Fault{Exception: "ForbiddenException"})
	s.Fail("", cognitotest.Fault{Exception: "InternalErrorException"})
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	_, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)})
	wantException(t, err, "ForbiddenException", "")
	_, err = s.associateByToken(t, token)
	wantException(t, err, "InternalErrorException", "")
	must[*cip.GetUserOutput](t)(s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)}))
}

func TestFaultsDoTheWorkOrNot(t *testing.T) {
	tests := map[string]struct {
		fault  cognitotest.Fault
		status int // 0: no reply at all
		worked bool
	}{
		"an exception":             {fault: cognitotest.Fault{Exception: "InternalErrorException"}, status: 500},
		"another status":           {fault: cognitotest.Fault{Exception: "ForbiddenException", Status: 403}, status: 403},
		"a page of somebody else":  {fault: cognitotest.Fault{Status: 502}, status: 502},
		"a cut before the work":    {fault: cognitotest.Fault{CutBefore: true}},
		"a cut after the work":     {fault: cognitotest.Fault{CutAfter: true}, worked: true},
		"half of a reply":          {fault: cognitotest.Fault{Truncate: true}, status: 200, worked: true},
		"a delay":                  {fault: cognitotest.Fault{Delay: time.Millisecond}, status: 200, worked: true},
		"nothing":                  {status: 200, worked: true},
		"a delay and an exception": {fault: cognitotest.Fault{Delay: time.Millisecond, Exception: "InternalErrorException"}, status: 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Fail("AssociateSoftwareToken", test.fault)
			_, err := s.associateByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken)
			if worked := s.PendingSecret(optional, "ada") != ""; worked != test.worked {
				t.Errorf("worked: %v, want %v", worked, test.worked)
			}
			var status int
			var response *awshttp.ResponseError
			switch {
			case err == nil:
				status = http.StatusOK
			case errors.As(err, &response):
				status = response.HTTPStatusCode()
			}
			if status != test.status {
				t.Errorf("status %d (%v), want %d", status, err, test.status)
			}
			if reply := err == nil; reply != (test.status == http.StatusOK && !test.fault.Truncate) {
				t.Errorf("the caller got %v", err)
			}
		})
	}
}

func TestACallerWhoGivesUpDoesNotStopTheWork(t *testing.T) {
	s := start(t)
	s.Fail("AssociateSoftwareToken", cognitotest.Fault{Delay: time.Hour})
	arrived, answered := make(chan struct{}), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A call that was cut short on its way here is no call.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		close(arrived)
		s.ServeHTTP(w, r)
		close(answered)
	}))
	t.Cleanup(web.Close)

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	_, err := newSDK(web.URL).AssociateSoftwareToken(ctx, &cip.AssociateSoftwareTokenInput{AccessToken: aws.String(token)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled call", err)
	}
	<-answered
	if s.PendingSecret(optional, "ada") == "" {
		t.Error("the work was not done")
	}
}

func TestStatusErrorIsNoException(t *testing.T) {
	s := start(t)
	s.Fail("VerifySoftwareToken", cognitotest.Fault{StatusError: true})
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	secret := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	out := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, secret, 0)))
	if out.Status != types.VerifySoftwareTokenResponseTypeError || s.TOTPSecret(optional, "ada") != "" {
		t.Errorf("status %s, want ERROR and no enrollment", out.Status)
	}
}

func TestKeysCanFailToo(t *testing.T) {
	s := start(t)
	s.Fail(cognitotest.JWKS, cognitotest.Fault{Status: http.StatusServiceUnavailable})
	s.Fail("", cognitotest.Fault{Exception: "InternalErrorException"})
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
		res := must[*http.Response](t)(http.Get(s.url + "/" + optional + "/.well-known/jwks.json"))
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("got %s, want %d", res.Status, want)
		}
	}
	if n := s.JWKSFetches(); n != 2 {
		t.Errorf("counted %d fetches, want 2", n)
	}
}

func TestFailKnowsTheOperations(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a plan for an operation that does not exist was taken")
		}
	}()
	start(t).Fail("AssociateSoftwareTokens", cognitotest.Fault{})
}

func TestTheSDKRetriesWhatCognitoDoes(t *testing.T) {
	s := start(t)
	s.Fail("GetUser", cognitotest.Fault{Exception: "InternalErrorException"}, cognitotest.Fault{CutBefore: true})
	sdk := cip.New(cip.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url), Credentials: aws.AnonymousCredentials{},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
	})
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	must[*cip.GetUserOutput](t)(sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)}))
	if n := s.Calls("GetUser"); n != 3 {
		t.Errorf("counted %d calls, want 3", n)
	}
}

func TestLatencyIsAtLeastItsMinimum(t *testing.T) {
	for name, latency := range map[string]cognitotest.Latency{
		"fixed":  {Min: 20 * time.Millisecond},
		"random": {Min: 20 * time.Millisecond, Max: 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.SetLatency(latency)
			token := s.SignIn(optional, optionalClient, "ada").AccessToken
			began := time.Now()
			must[*cip.GetUserOutput](t)(s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)}))
			if took := time.Since(began); took < latency.Min {
				t.Errorf("took %s, want at least %s", took, latency.Min)
			}
		})
	}
}
