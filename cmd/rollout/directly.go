package main

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"mfa-enrollment/internal/quota/crowd"
)

// directPage is a front end that calls Cognito itself, as AWS's libraries for
// front ends do: three attempts a call, which is the SDKs' default, and an error
// page when they fail.
type directPage struct {
	cognito   *standIn
	sdk       *idp.Client
	user      string
	bySession bool

	mu       sync.Mutex // two clicks
	token    *string
	session  *string
	verified bool // and not switched on yet
}

// direct is the front end without the service.
func direct(o options, cognito *standIn, i int) crowd.Page {
	p := &directPage{cognito: cognito, user: username(i), bySession: o.flow == "session", sdk: idp.New(idp.Options{
		Region: region, BaseEndpoint: aws.String(cognito.url), Credentials: aws.AnonymousCredentials{},
		Retryer: retry.NewStandard(), // Each browser has one of its own.
	})}
	return p
}

func (p *directPage) SignIn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bySession {
		p.session = aws.String(p.cognito.Session(poolID, clientID, p.user))
	} else {
		p.token = aws.String(p.cognito.SignIn(poolID, clientID, p.user).AccessToken)
	}
}

func (p *directPage) Begin(ctx context.Context) (string, crowd.Result) {
	token, session := p.credential()
	out, err := p.sdk.AssociateSoftwareToken(ctx, &idp.AssociateSoftwareTokenInput{AccessToken: token, Session: session})
	if err != nil {
		return "", p.result(err)
	}
	p.next(out.Session)
	return aws.ToString(out.SecretCode), crowd.Result{Outcome: crowd.Done}
}

func (p *directPage) Verify(ctx context.Context, code string) crowd.Result {
	token, session := p.credential()
	if !p.isVerified() {
		out, err := p.sdk.VerifySoftwareToken(ctx, &idp.VerifySoftwareTokenInput{AccessToken: token, Session: session, UserCode: aws.String(code)})
		if err != nil {
			return p.result(err)
		}
		p.next(out.Session)
		p.setVerified()
	}
	var err error
	if p.bySession {
		_, session = p.credential()
		_, err = p.sdk.RespondToAuthChallenge(ctx, &idp.RespondToAuthChallengeInput{
			ChallengeName: types.ChallengeNameTypeMfaSetup, ClientId: aws.String(clientID), Session: session,
			ChallengeResponses: map[string]string{"USERNAME": p.user},
		})
	} else {
		_, err = p.sdk.SetUserMFAPreference(ctx, &idp.SetUserMFAPreferenceInput{
			AccessToken: token, SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: true, PreferredMfa: true},
		})
	}
	if err != nil {
		return p.result(err)
	}
	return crowd.Result{Outcome: crowd.Done}
}

func (p *directPage) credential() (token, session *string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token, p.session
}

// next keeps the session that goes on from here.
func (p *directPage) next(session *string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if session != nil {
		p.session = session
	}
}

func (p *directPage) isVerified() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.verified
}

func (p *directPage) setVerified() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verified = true
}

// result reads an exception. By session a wrong code spends the session.
func (p *directPage) result(err error) crowd.Result {
	var exception smithy.APIError
	if !errors.As(err, &exception) {
		return crowd.Result{Outcome: crowd.Failed}
	}
	switch exception.ErrorCode() {
	case "EnableSoftwareTokenMFAException", "CodeMismatchException", "ExpiredCodeException":
		if p.bySession {
			return crowd.Result{Outcome: crowd.SignInAgain}
		}
		return crowd.Result{Outcome: crowd.WrongCode}
	case "NotAuthorizedException":
		return crowd.Result{Outcome: crowd.SignInAgain}
	case "SoftwareTokenMFANotFoundException":
		return crowd.Result{Outcome: crowd.StartAgain}
	}
	return crowd.Result{Outcome: crowd.Failed}
}
