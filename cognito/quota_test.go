package cognito

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/metrics"
)

const (
	demoPool   = "us-east-1_Optional"
	demoClient = "demo-optional"
)

// pacedClient is a client of a stand-in with a quota.
func pacedClient(t *testing.T, rps float64, limit int) (*Client, *cognitotest.Server) {
	t.Helper()
	server, err := cognitotest.New(cognitotest.Options{Quota: cognitotest.Quota{UserResourceUpdate: limit}})
	if err != nil {
		t.Fatal(err)
	}
	standIn := httptest.NewServer(server)
	t.Cleanup(standIn.Close)
	m := metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})
	return NewClient(ClientOptions{
		Region: "us-east-1", Endpoint: standIn.URL, Metrics: m, Now: time.Now, Admission: quota.New(quota.Options{RPS: rps, Metrics: m}),
	}), server
}

func TestACallThatCognitoRefusedForItsQuotaIsMadeAgain(t *testing.T) {
	client, server := pacedClient(t, 50, 20)
	session := enroll.Secret(server.Session(demoPool, demoClient, "ada"))
	server.Spend(20) // Others were just here.
	if _, err := client.Associate(t.Context(), permit.Mint(), enroll.Credential{Session: session}); err != nil {
		t.Fatal(err)
	}
	if calls, refused := server.Calls(opAssociate), server.Refused(opAssociate); calls != refused+1 {
		t.Errorf("%d calls, %d refused", calls, refused)
	}
}

func TestReadsAndAnswersDoNotWaitForTheQuotaOfWrites(t *testing.T) {
	client, server := pacedClient(t, .0001, 25)
	token := enroll.Secret(server.SignIn(demoPool, demoClient, "ada").AccessToken)
	for range 2 { // all that there is
		if err := client.SetTOTP(t.Context(), permit.Mint(), token, enroll.Preference{}); enroll.KindOf(err) == enroll.Busy {
			t.Fatal(err)
		}
	}
	if _, err := client.User(t.Context(), permit.Mint(), token); err != nil {
		t.Errorf("GetUser: %v", err)
	}
	if _, err := client.Answer(t.Context(), permit.Mint(), enroll.Answer{Challenge: enroll.MethodTOTP, ClientID: demoClient, Username: "ada", Session: enroll.Secret(strings.Repeat("s", 40)), Code: "123456"}); enroll.KindOf(err) != enroll.SessionExpired {
		t.Errorf("RespondToAuthChallenge: %v", err)
	}
}

func TestAPersonInTheLineIsKnownAgainAndNotNamed(t *testing.T) {
	by := func(pool, subject, token string) string {
		return personOf(enroll.Credential{Identity: &enroll.Identity{PoolID: pool, Subject: subject, Token: enroll.Secret(token)}})
	}
	if by("pool", "ada", "one") != by("pool", "ada", "refreshed") {
		t.Error("a refreshed token is another person")
	}
	if by("pool", "ada", "one") == by("pool", "grace", "one") || by("pool", "ada", "one") == by("other", "ada", "one") {
		t.Error("two people are one")
	}
	at := func(address, session string, s enroll.Standing) string {
		return personOf(enroll.Credential{Session: enroll.Secret(session), Address: address, Standing: s})
	}
	if at("one", "a", enroll.Unknown) != at("one", "b", enroll.Stranger) || at("one", "a", enroll.Unknown) == at("two", "a", enroll.Unknown) {
		t.Error("whoever comes from an address that is not known is not one person")
	}
	if at("one", "a", enroll.Known) == at("one", "b", enroll.Known) {
		t.Error("two at one known address are one person")
	}
	session := personOf(enroll.Credential{Session: "a-session"})
	if session == by("pool", "ada", "one") || strings.Contains(session, "a-session") || session != personOf(enroll.Credential{Session: "a-session"}) {
		t.Errorf("a session is %s", session)
	}
}
