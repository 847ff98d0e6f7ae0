// Package cognito calls Amazon Cognito over the AWS SDK. It alone knows the SDK,
// and it turns the SDK's exceptions into the domain's errors (errors.go), so that
// nothing else does.
//
// All operations used here are anonymous: they carry the person's own token or
// session instead of a signature, so the service needs no AWS credentials.
package cognito

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/metrics"
)

// The operations, by Cognito's names.
const (
	opAssociate     = quota.Associate
	opVerify        = quota.Verify
	opSetPreference = quota.SetPreference
	opGetUser       = "GetUser"
	opRespond       = "RespondToAuthChallenge"
)

// ClientOptions configures a Client.
type ClientOptions struct {
	Region   string
	Endpoint string // empty: AWS's own for the region, as the SDK resolves it
	// FIPS and DualStack choose among AWS's endpoints. The SDK refuses every call
	// when one of them stands beside Endpoint.
	FIPS, DualStack bool
	// ClientSecrets holds the secret of each app client that has one, by
	// client id.
	ClientSecrets map[string]enroll.Secret
	// PassPoolMessages passes on what Lambda triggers of the user pool say when
	// they refuse (enroll.Error.PoolMessage).
	PassPoolMessages bool
	// CallTimeout bounds one call to Cognito. Zero means five seconds.
	CallTimeout time.Duration
	Transport   http.RoundTripper // nil: net/http's own
	Admission   *quota.Admission  // nil: calls are made at once
	Metrics     *metrics.Metrics
	Now         func() time.Time // times the calls
}

// Client calls Cognito. It satisfies enroll.UserPool.
type Client struct {
	sdk     *idp.Client
	secrets map[string]enroll.Secret
	timeout time.Duration
	quota   *quota.Admission
	metrics *metrics.Metrics
	now     func() time.Time

	passPoolMessages bool
}

var _ enroll.UserPool = (*Client)(nil)

// NewClient makes a client. It calls nobody.
func NewClient(o ClientOptions) *Client {
	if o.CallTimeout == 0 {
		o.CallTimeout = 5 * time.Second
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	options := idp.Options{
		Region:      o.Region,
		Credentials: aws.AnonymousCredentials{},
		// Cognito redirects nobody, and what a call holds must not go anywhere else.
		HTTPClient: &http.Client{
			Transport:     PlainBodies{Next: o.Transport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		// The SDK would repeat any call three times, one-shot ones too.
		Retryer: aws.NopRetryer{},
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = aws.String(o.Endpoint)
	}
	if o.FIPS {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if o.DualStack {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return &Client{
		sdk: idp.New(options), secrets: o.ClientSecrets, timeout: o.CallTimeout, quota: o.Admission, metrics: o.Metrics,
		now: o.Now, passPoolMessages: o.PassPoolMessages,
	}
}

// do makes a call, again where that is safe (retry.go). One permit is for the call
// with all of its attempts.
func (c *Client) do(ctx context.Context, p permit.Permit, what call, send func(context.Context) error) error {
	if !p.Use() {
		return enroll.Fail(enroll.Internal, "no permit for a call of "+what.operation)
	}
	spent := false // the answer to one of the attempts was lost
	for attempt := 1; ; attempt++ {
		failure := c.admitted(ctx, what, send)
		if failure == nil {
			return nil
		}
		spent = spent || lost(failure)
		if !what.again(failure, attempt) || !pause(ctx, attempt) {
			return what.meaning(failure, spent)
		}
	}
}

// admitted makes one attempt when the quota admits it. Reads and the answers to
// challenges have quotas of their own, which are large.
func (c *Client) admitted(ctx context.Context, what call, send func(context.Context) error) *enroll.Error {
	if c.quota == nil || what.spends.Operation == "" {
		return c.once(ctx, what, send)
	}
	return c.quota.Do(ctx, what.spends, func(ctx context.Context) *enroll.Error { return c.once(ctx, what, send) })
}

// once makes one attempt: bounded in time, counted, its error the domain's.
func (c *Client) once(ctx context.Context, what call, send func(context.Context) error) *enroll.Error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	begin := c.now()
	var failure *enroll.Error
	if err := send(ctx); err != nil {
		failure = domainError(what, err)
		if c.passPoolMessages {
			failure.PoolMessage = poolMessage(err)
		}
	}
	c.metrics.CognitoCall(ctx, what.operation, outcome(failure), c.now().Sub(begin))
	return failure
}

// Associate implements enroll.UserPool.
func (c *Client) Associate(ctx context.Context, p permit.Permit, cred enroll.Credential) (enroll.Association, error) {
	var out *idp.AssociateSoftwareTokenOutput
	what := call{operation: opAssociate, session: cred.Identity == nil}
	what.spends = spends(opAssociate, cred)
	err := c.do(ctx, p, what, func(ctx context.Context) (err error) {
		in := &idp.AssociateSoftwareTokenInput{}
		in.AccessToken, in.Session = present(cred)
		out, err = c.sdk.AssociateSoftwareToken(ctx, in)
		if err == nil && (aws.ToString(out.SecretCode) == "" || what.session && aws.ToString(out.Session) == "") {
			err = errLacking
		}
		return err
	})
	if err != nil {
		return enroll.Association{}, err
	}
	return enroll.Association{Secret: enroll.Secret(aws.ToString(out.SecretCode)), Session: enroll.Secret(aws.ToString(out.Session))}, nil
}

// spends is what a call with a credential asks of the write quota.
func spends(operation string, cred enroll.Credential) quota.Call {
	q := quota.Call{Operation: operation, Person: personOf(cred), Abandoned: cred.Abandoned}
	if cred.Identity == nil {
		q.BySession, q.Session, q.Stranger = true, hashOf(cred.Session.Reveal()), cred.Standing == enroll.Stranger
	}
	return q
}

// personOf names whoever calls, the same at every try. Made-up sessions cost
// nothing, so those from an address that is not known are one person.
func personOf(c enroll.Credential) string {
	switch {
	case c.Identity != nil:
		return hashOf(c.Identity.PoolID + " " + c.Identity.Subject)
	case c.Standing != enroll.Known:
		return hashOf("at " + c.Address)
	default:
		return hashOf(c.Session.Reveal())
	}
}

// hashOf keeps sessions and addresses out of the queue positions, which may be in
// Redis.
func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Verify implements enroll.UserPool. Cognito can answer 200 with Status ERROR,
// which is a failure like a wrong code. A code that was used already, told when
// the call is made again after its answer was lost, is the success of the first.
func (c *Client) Verify(ctx context.Context, p permit.Permit, cred enroll.Credential, code enroll.Secret, deviceName string) (enroll.Secret, error) {
	var out *idp.VerifySoftwareTokenOutput
	unclear := false // an attempt before this one may have been the one that counted
	what := call{operation: opVerify, session: cred.Identity == nil}
	what.spends = spends(opVerify, cred)
	err := c.do(ctx, p, what, func(ctx context.Context) (err error) {
		in := &idp.VerifySoftwareTokenInput{UserCode: aws.String(code.Reveal())}
		in.AccessToken, in.Session = present(cred)
		if deviceName != "" {
			in.FriendlyDeviceName = aws.String(deviceName)
		}
		out, err = c.sdk.VerifySoftwareToken(ctx, in)
		// The SDK has no type for it here: it is not in the operation's model.
		if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "ExpiredCodeException" && unclear {
			out, err = &idp.VerifySoftwareTokenOutput{Status: types.VerifySoftwareTokenResponseTypeSuccess}, nil
		}
		if err == nil && (out.Status == "" || out.Status == types.VerifySoftwareTokenResponseTypeSuccess && what.session && aws.ToString(out.Session) == "") {
			err = errLacking
		}
		unclear = unclear || err != nil && mayBeDone(domainError(what, err))
		return err
	})
	if err != nil {
		return "", err
	}
	if out.Status != types.VerifySoftwareTokenResponseTypeSuccess {
		return "", enroll.Fail(enroll.CodeMismatch, "VerifySoftwareToken answered with status ERROR")
	}
	return enroll.Secret(aws.ToString(out.Session)), nil
}

// SetTOTP implements enroll.UserPool. The software-token settings travel
// alone: settings for SMS or e-mail would make Cognito ask for a phone number
// or change a factor that nobody spoke of.
func (c *Client) SetTOTP(ctx context.Context, p permit.Permit, token enroll.Secret, change enroll.Preference) error {
	return c.do(ctx, p, call{operation: opSetPreference, disabling: !change.Enabled, spends: quota.Call{Operation: opSetPreference}}, func(ctx context.Context) error {
		_, err := c.sdk.SetUserMFAPreference(ctx, &idp.SetUserMFAPreferenceInput{
			AccessToken:              aws.String(token.Reveal()),
			SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: change.Enabled, PreferredMfa: change.Preferred},
		})
		return err
	})
}

// User implements enroll.UserPool.
func (c *Client) User(ctx context.Context, p permit.Permit, token enroll.Secret) (enroll.User, error) {
	var out *idp.GetUserOutput
	err := c.do(ctx, p, call{operation: opGetUser}, func(ctx context.Context) (err error) {
		out, err = c.sdk.GetUser(ctx, &idp.GetUserInput{AccessToken: aws.String(token.Reveal())})
		if err == nil && aws.ToString(out.Username) == "" {
			err = errLacking // Factors that are not named here are not off.
		}
		return err
	})
	if err != nil {
		return enroll.User{}, err
	}
	u := enroll.User{
		Username:   aws.ToString(out.Username),
		Attributes: make(map[string]string, len(out.UserAttributes)),
		Methods:    out.UserMFASettingList,
		Preferred:  aws.ToString(out.PreferredMfaSetting),
	}
	for _, a := range out.UserAttributes {
		u.Attributes[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	return u, nil
}

// Answer implements enroll.UserPool.
func (c *Client) Answer(ctx context.Context, p permit.Permit, a enroll.Answer) (enroll.SignIn, error) {
	var out *idp.RespondToAuthChallengeOutput
	err := c.do(ctx, p, call{operation: opRespond, session: true, challenge: a.Challenge}, func(ctx context.Context) (err error) {
		out, err = c.sdk.RespondToAuthChallenge(ctx, &idp.RespondToAuthChallengeInput{
			ChallengeName:      types.ChallengeNameType(a.Challenge),
			ClientId:           aws.String(a.ClientID),
			Session:            aws.String(a.Session.Reveal()),
			ChallengeResponses: c.responses(a),
			ClientMetadata:     a.Context.Metadata,
			UserContextData:    c.userContext(a),
		})
		if err == nil && !signedIn(out) && out.ChallengeName == "" {
			err = errLacking
		}
		return err
	})
	if err != nil {
		return enroll.SignIn{}, err
	}
	return signIn(out), nil
}

// responses is what each challenge wants to be told.
func (c *Client) responses(a enroll.Answer) map[string]string {
	r := map[string]string{"USERNAME": a.Username}
	if secret, ok := c.secrets[a.ClientID]; ok {
		r["SECRET_HASH"] = secretHash(secret, a.Username, a.ClientID)
	}
	if a.Code != "" {
		r[a.Challenge+"_CODE"] = a.Code.Reveal() // SOFTWARE_TOKEN_MFA_CODE, SMS_MFA_CODE, EMAIL_OTP_CODE
	}
	if a.Context.DeviceKey != "" {
		r["DEVICE_KEY"] = a.Context.DeviceKey.Reveal()
	}
	if a.Method != "" {
		r["ANSWER"] = a.Method
	}
	return r
}

// secretHash is Base64(HMAC-SHA256(client secret, username + client id)), as
// "Computing secret hash values" in Cognito's developer guide defines it.
func secretHash(secret enroll.Secret, username, clientID string) string {
	h := hmac.New(sha256.New, []byte(secret.Reveal()))
	h.Write([]byte(username + clientID))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// userContext is what threat protection learns of the person. Cognito takes an
// address only from an app client with a secret ("Adding user device and session
// data to API requests", Cognito's developer guide); what it does with one that
// another client sends is not documented.
func (c *Client) userContext(a enroll.Answer) *types.UserContextDataType {
	data := types.UserContextDataType{}
	if _, ok := c.secrets[a.ClientID]; ok && a.Context.ClientIP != "" {
		data.IpAddress = aws.String(a.Context.ClientIP)
	}
	if a.Context.EncodedData != "" {
		data.EncodedData = aws.String(a.Context.EncodedData.Reveal())
	}
	if data == (types.UserContextDataType{}) {
		return nil
	}
	return &data
}

// signedIn reports whether an answer holds tokens.
func signedIn(out *idp.RespondToAuthChallengeOutput) bool {
	return out.AuthenticationResult != nil && aws.ToString(out.AuthenticationResult.AccessToken) != ""
}

// signIn reads an answer that holds tokens or one more challenge. The docs
// disagree on what follows MFA_SETUP, so either is taken.
func signIn(out *idp.RespondToAuthChallengeOutput) enroll.SignIn {
	if r := out.AuthenticationResult; signedIn(out) {
		return enroll.SignIn{Tokens: &enroll.Tokens{
			Access:    enroll.Secret(aws.ToString(r.AccessToken)),
			ID:        enroll.Secret(aws.ToString(r.IdToken)),
			Refresh:   enroll.Secret(aws.ToString(r.RefreshToken)),
			ExpiresIn: time.Duration(r.ExpiresIn) * time.Second,
			Type:      aws.ToString(r.TokenType),
			Device:    newDevice(r.NewDeviceMetadata),
		}}
	}
	return enroll.SignIn{Challenge: &enroll.Challenge{
		Name:       string(out.ChallengeName),
		Session:    enroll.Secret(aws.ToString(out.Session)),
		Parameters: out.ChallengeParameters,
	}}
}

// present gives the credential to the member that Cognito has for it.
func present(c enroll.Credential) (token, session *string) {
	if c.Identity != nil {
		return aws.String(c.Identity.Token.Reveal()), nil
	}
	return nil, aws.String(c.Session.Reveal())
}

// newDevice is the device that the pool remembers from now on, or nil.
func newDevice(d *types.NewDeviceMetadataType) *enroll.Device {
	if d == nil || aws.ToString(d.DeviceKey) == "" {
		return nil
	}
	return &enroll.Device{Key: enroll.Secret(aws.ToString(d.DeviceKey)), GroupKey: aws.ToString(d.DeviceGroupKey)}
}
