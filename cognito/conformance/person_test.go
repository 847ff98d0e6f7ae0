package conformance

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/pquerna/otp/totp"
	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/cognito"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

const (
	challengeCode = "SOFTWARE_TOKEN_MFA"
	methodSMS     = "SMS_MFA"
	deviceName    = "my phone"
	// patience bounds a call; it is long, since a slow machine is no fault.
	patience = time.Minute
)

// person is somebody who goes through a flow, with a front end (the AWS SDK), a
// phone and the service's client between them and the pool.
type person struct {
	account
	on   *target
	sdk  *idp.Client
	pool pool

	tokens  enroll.Tokens // of the latest sign-in
	phone   *phone        // the one that is set up
	next    *phone        // the one that is being set up
	old     *phone        // the latest one whose secret another took the place of
	session enroll.Secret // where the flow is in the middle of a sign-in
	code    enroll.Secret // the latest code that was taken
}

func newPerson(on *target, who account) *person {
	sdk := idp.Options{Region: on.region, Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{}}
	if on.endpoint != "" {
		sdk.BaseEndpoint = aws.String(on.endpoint)
	}
	secrets := map[string]enroll.Secret{}
	if who.clientSecret != "" {
		secrets[who.client] = enroll.Secret(who.clientSecret)
	}
	return &person{account: who, on: on, sdk: idp.New(sdk), pool: newClient(on, secrets)}
}

// newClient is the client that the service has.
func newClient(on *target, secrets map[string]enroll.Secret) pool {
	return pool{cognito.NewClient(cognito.ClientOptions{
		Region: on.region, Endpoint: on.endpoint, ClientSecrets: secrets, CallTimeout: patience,
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), Now: time.Now,
	})}
}

// bearer is the credential of somebody who is signed in.
func (p *person) bearer() enroll.Credential {
	return enroll.Credential{Identity: &enroll.Identity{Token: p.tokens.Access}}
}

// signIn sends the password, as a front end does.
func (p *person) signIn(ctx context.Context) (enroll.SignIn, error) {
	var hash string
	if p.clientSecret != "" {
		hash = p.hash()
	}
	out, err := p.sendPassword(ctx, hash)
	switch {
	case err != nil:
		return enroll.SignIn{}, err
	case out.AuthenticationResult == nil:
		return enroll.SignIn{Challenge: &enroll.Challenge{
			Name: string(out.ChallengeName), Session: enroll.Secret(aws.ToString(out.Session)), Parameters: out.ChallengeParameters,
		}}, nil
	}
	r := out.AuthenticationResult
	return enroll.SignIn{Tokens: &enroll.Tokens{
		Access: enroll.Secret(aws.ToString(r.AccessToken)), ID: enroll.Secret(aws.ToString(r.IdToken)),
	}}, nil
}

// sendPassword calls InitiateAuth; a hash that is empty is left out.
func (p *person) sendPassword(ctx context.Context, hash string) (*idp.InitiateAuthOutput, error) {
	parameters := map[string]string{"USERNAME": p.username, "PASSWORD": p.password}
	if hash != "" {
		parameters["SECRET_HASH"] = hash
	}
	return p.sdk.InitiateAuth(ctx, &idp.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeUserPasswordAuth, ClientId: aws.String(p.client), AuthParameters: parameters,
	})
}

// hash is the SECRET_HASH of Cognito's guide, "Computing secret hash values".
func (p *person) hash() string {
	mac := hmac.New(sha256.New, []byte(p.clientSecret))
	mac.Write([]byte(p.username + p.client))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signsIn signs in by password alone.
func (p *person) signsIn(ctx context.Context) error {
	in, err := p.signIn(ctx)
	switch {
	case err != nil:
		return err
	case in.Tokens == nil:
		return fmt.Errorf("the sign-in asks for %s instead of giving tokens", in.Challenge.Name)
	case in.Tokens.Access == "":
		return errors.New("the sign-in gives no access token")
	}
	p.tokens = *in.Tokens
	return nil
}

// challenged signs in by password, up to a challenge.
func (p *person) challenged(ctx context.Context, want string) (*enroll.Challenge, error) {
	in, err := p.signIn(ctx)
	switch {
	case err != nil:
		return nil, err
	case in.Challenge == nil:
		return nil, fmt.Errorf("the sign-in gives tokens instead of asking for %s", want)
	case in.Challenge.Name != want:
		return nil, fmt.Errorf("the sign-in asks for %s instead of %s", in.Challenge.Name, want)
	case in.Challenge.Session == "":
		return nil, errors.New("the challenge has no session")
	}
	return in.Challenge, nil
}

// answers answers a challenge.
func (p *person) answers(ctx context.Context, challenge string, session, code enroll.Secret) (enroll.SignIn, error) {
	return p.pool.Answer(ctx, enroll.Answer{
		Challenge: challenge, ClientID: p.client, Username: p.username, Session: session, Code: code,
	})
}

// finishes answers a challenge with which the sign-in is done.
func (p *person) finishes(ctx context.Context, challenge string, session, code enroll.Secret) error {
	in, err := p.answers(ctx, challenge, session, code)
	switch {
	case err != nil:
		return err
	case in.Tokens == nil:
		return fmt.Errorf("the answer to %s leads to %s instead of tokens", challenge, in.Challenge.Name)
	case in.Tokens.Access == "":
		return errors.New("the sign-in gives no access token")
	}
	p.tokens, p.code = *in.Tokens, code
	return nil
}

// sendsCode signs in by password and with that code.
func (p *person) sendsCode(ctx context.Context, code enroll.Secret) error {
	c, err := p.challenged(ctx, challengeCode)
	if err != nil {
		return err
	}
	return p.finishes(ctx, challengeCode, c.Session, code)
}

// refused tells whether a call was refused in one of these ways.
func refused(err error, ways ...enroll.Kind) error {
	if err == nil {
		return fmt.Errorf("it is not refused; want %s", ways)
	}
	if slices.Contains(ways, enroll.KindOf(err)) {
		return nil
	}
	return fmt.Errorf("it is refused otherwise: %w; want %s", err, ways)
}

// period is the time for which an authenticator app shows a code (RFC 6238 §4.1).
const period = 30 * time.Second

// phone is an authenticator app.
type phone struct {
	secret enroll.Secret
	now    func() time.Time
	shown  int64 // the latest step whose code was used
}

// at is the code of a step.
func (f *phone) at(step int64) (enroll.Secret, error) {
	code, err := totp.GenerateCode(f.secret.Reveal(), time.Unix(step*int64(period/time.Second), 0))
	return enroll.Secret(code), err
}

func (f *phone) step() int64 { return f.now().Unix() / int64(period/time.Second) }

// code is one that was not used: this step's, or the next one's, which Cognito
// takes as well. Both stay good for half a minute at least, however slow the
// machine is. A third one would have to be waited for.
func (f *phone) code() (enroll.Secret, error) {
	now := f.step()
	use := max(now, f.shown+1)
	if use > now+1 {
		return "", errors.New("the flow wants a third code within half a minute")
	}
	f.shown = use
	return f.at(use)
}

// around are the codes of some minutes before and after now.
func (f *phone) around() ([]enroll.Secret, error) {
	var codes []enroll.Secret
	for now, away := f.step(), int64(-5); away <= 5; away++ {
		code, err := f.at(now + away)
		if err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}

// wrong is a code that this phone does not show for minutes.
func (f *phone) wrong() (enroll.Secret, error) {
	right, err := f.around()
	if err != nil {
		return "", err
	}
	for guess := 0; ; guess++ {
		if code := enroll.Secret(fmt.Sprintf("%06d", guess)); !slices.Contains(right, code) {
			return code, nil
		}
	}
}
