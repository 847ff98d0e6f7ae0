package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
)

// The questions that AWS's documents leave open, to be asked of a real pool by
// whoever has an account: docs/real-pool.md. An answer is a word or the name and
// the message of an exception; no session, code, secret or token is in one.

// answer is a question with what Cognito says.
type answer struct{ question, answer string }

const (
	keepsAtSetUp  = "after a wrong code, does VerifySoftwareToken take the right one in the same session?"
	keepsAtSignIn = "after a wrong code, does SOFTWARE_TOKEN_MFA take the right one in the same session?"
	takesOld      = "after a second Associate, does VerifySoftwareToken take a code of the first secret?"
)

// TestOpenQuestions asks them of the pool that the environment names, which must
// require MFA; the user must be one who never had an authenticator app.
func TestOpenQuestions(t *testing.T) {
	who, ok := named(t)
	if !ok || os.Getenv("CONFORMANCE_ASK") == "" {
		t.Skip("CONFORMANCE_POOL_ID and CONFORMANCE_ASK name no user pool to ask")
	}
	answers, err := newPerson(userPool(t, who), who).asked(t.Context())
	for _, a := range answers {
		fmt.Printf("| %s | %s |\n", a.question, a.answer)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheStandInAnswersTheOpenQuestions asks them of the stand-in, as it is by
// default and the other way.
func TestTheStandInAnswersTheOpenQuestions(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]cognitotest.Variants{
		"yes yes no": {},
		"no no yes":  {WrongCodeEndsSetUp: true, WrongTOTPEndsSignIn: true, OldSecretVerifies: true},
	} {
		on, server := serveCognitotest(t, time.Now)
		server.SetVariants(v)
		who, _ := on.account(t, required)
		answers, err := newPerson(on, who).asked(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{}
		for _, a := range answers {
			said[a.question], _, _ = strings.Cut(a.answer, ",")
			t.Logf("| %s | %s |", a.question, a.answer)
		}
		if got := said[keepsAtSetUp] + " " + said[keepsAtSignIn] + " " + said[takesOld]; got != want || len(answers) < 10 {
			t.Errorf("%d answers, %s; want %s", len(answers), got, want)
		}
	}
}

// asked asks everything, and ends at what nobody foresaw.
func (p *person) asked(ctx context.Context) (answers []answer, err error) {
	say := func(question, format string, args ...any) {
		answers = append(answers, answer{question, fmt.Sprintf(format, args...)})
	}
	for _, ask := range []func(context.Context, func(string, string, ...any)) error{
		p.askSetUp, p.askTokens("MFA_SETUP"), p.askRefreshed, p.askSecondSecret, p.askSignIn, p.askTokens("SOFTWARE_TOKEN_MFA"), p.askSwitchingOff, p.askLengths,
	} {
		if err := ask(ctx, say); err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// said is yes, or no with the exception.
func said(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return "yes"
	case errors.As(err, &api):
		return "no, " + api.ErrorCode() + ": " + api.ErrorMessage()
	default:
		return "no, " + err.Error()
	}
}

func (p *person) askSetUp(ctx context.Context, say func(string, string, ...any)) error {
	out, err := p.sendPassword(ctx, p.hashIfAny())
	if err != nil {
		return err
	}
	if at, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		say("does an answer have a Date?", "yes, %+d s from this machine's clock", int(time.Until(at).Round(time.Second)/time.Second))
	} else {
		say("does an answer have a Date?", "no")
	}
	if err := p.associatesBySession(ctx); err != nil {
		return err
	}
	say("how long is a session?", "%d characters at the sign-in, %d after Associate", len(aws.ToString(out.Session)), len(p.session))
	by := enroll.Credential{Session: p.session}
	say("which exception has a wrong code in VerifySoftwareToken?", "%s", strings.TrimPrefix(said(cause(p.verifiesWrongly(ctx, by))), "no, "))
	next, err := p.verifiesBy(ctx, by)
	say(keepsAtSetUp, "%s", said(cause(err)))
	if err != nil { // begin again, without a wrong code
		if err := p.associatesBySession(ctx); err != nil {
			return err
		}
		if next, err = p.verifiesBy(ctx, enroll.Credential{Session: p.session}); err != nil {
			return err
		}
	}
	p.session = next
	return p.answersSetUp(ctx)
}

func (p *person) hashIfAny() string {
	if p.clientSecret == "" {
		return ""
	}
	return p.hash()
}

// cause is the SDK's error below the domain's.
func cause(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api
	}
	return err
}

// askTokens asks of the tokens that an answer to a challenge gave.
func (p *person) askTokens(challenge string) func(context.Context, func(string, string, ...any)) error {
	return func(_ context.Context, say func(string, string, ...any)) error {
		claims, err := claimsOf(p.tokens.Access.Reveal())
		if err != nil {
			return err
		}
		for _, name := range []string{"origin_jti", "auth_time", "acr", "amr"} {
			_, there := claims[name]
			say(fmt.Sprintf("does an access token of %s have %s?", challenge, name), "%s", yes(there))
		}
		return nil
	}
}

// askRefreshed asks what a refreshed access token shares with the one before.
func (p *person) askRefreshed(ctx context.Context, say func(string, string, ...any)) error {
	before, err := claimsOf(p.tokens.Access.Reveal())
	if err != nil {
		return err
	}
	parameters := map[string]string{"REFRESH_TOKEN": p.tokens.Refresh.Reveal()}
	if hash := p.hashIfAny(); hash != "" {
		parameters["SECRET_HASH"] = hash
	}
	out, err := p.sdk.InitiateAuth(ctx, &idp.InitiateAuthInput{ClientId: &p.client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth, AuthParameters: parameters})
	if err != nil {
		return err
	}
	after, err := claimsOf(aws.ToString(out.AuthenticationResult.AccessToken))
	if err != nil {
		return err
	}
	for _, name := range []string{"origin_jti", "auth_time"} {
		say("does a refreshed access token have the same "+name+"?", "%s", yes(before[name] != nil && after[name] == before[name]))
	}
	return nil
}

func yes(is bool) string { return map[bool]string{true: "yes", false: "no"}[is] }

func claimsOf(token string) (claims map[string]any, err error) {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &claims)
	return claims, err
}

func (p *person) askSecondSecret(ctx context.Context, say func(string, string, ...any)) error {
	if err := p.associates(ctx); err != nil {
		return err
	}
	first := p.next
	if err := p.associates(ctx); err != nil {
		return err
	}
	code, err := foreignCode(first, p.next)
	if err != nil {
		return err
	}
	_, err = p.pool.Verify(ctx, p.bearer(), code, "")
	say(takesOld, "%s", said(cause(err)))
	return p.verifies(ctx)
}

func (p *person) askSignIn(ctx context.Context, say func(string, string, ...any)) error {
	if err := p.answersWithWrongCode(ctx); err != nil {
		return err
	}
	err := p.answersAfterWrongCode(ctx)
	say(keepsAtSignIn, "%s", said(cause(err)))
	return nil
}

func (p *person) askSwitchingOff(ctx context.Context, say func(string, string, ...any)) error {
	_, err := p.sdk.SetUserMFAPreference(ctx, &idp.SetUserMFAPreferenceInput{
		AccessToken:              aws.String(p.tokens.Access.Reveal()),
		SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{},
	})
	say("does a pool that requires MFA let the app be switched off?", "%s", said(err))
	out, err := p.sendPassword(ctx, p.hashIfAny())
	if err != nil {
		return err
	}
	say("what does the next sign-in ask for?", "%s", out.ChallengeName)
	return nil
}

func (p *person) askLengths(ctx context.Context, say func(string, string, ...any)) error {
	for _, n := range []int{2049, 8192, 8193} {
		madeUp := strings.Repeat("A", n)
		_, err := p.sdk.AssociateSoftwareToken(ctx, &idp.AssociateSoftwareTokenInput{Session: &madeUp})
		say(fmt.Sprintf("what does Associate say to a made-up session of %d characters?", n), "%s",
			strings.ReplaceAll(strings.TrimPrefix(said(err), "no, "), madeUp, "(the session)"))
	}
	return nil
}
