// Package token verifies Amazon Cognito's access tokens by the keys of their user
// pool, without a call for each token.
package token

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/internal/enroll"
)

// The reasons for which Verify refuses a token. Each is the Reason of an
// enroll.Error, is stable, and says nothing of what the token holds.
const (
	ReasonTooLarge        = "too_large"          // more than 24 KiB
	ReasonMalformed       = "malformed"          // not a JWT, or a field of the wrong type
	ReasonNotRS256        = "not_rs256"          // alg is anything but RS256
	ReasonForbiddenHeader = "forbidden_header"   // crit, or a key brought along
	ReasonMissingClaim    = "missing_claim"      // a claim that every access token has
	ReasonForeignIssuer   = "foreign_issuer"     // none of a configured pool's issuers
	ReasonUnknownKey      = "unknown_key"        // kid is none of the pool's keys
	ReasonBadSignature    = "bad_signature"      // not signed by that key
	ReasonExpired         = "expired"            // exp has passed
	ReasonNotYetValid     = "not_yet_valid"      // nbf, iat or auth_time lies ahead
	ReasonForeignClient   = "foreign_client"     // an app client that is not configured
	ReasonNobody          = "client_credentials" // an app client itself, and no user
	ReasonIDToken         = "id_token"           // the ID token in place of the access token
	ReasonRefreshToken    = "refresh_token"      // the refresh token, or another encrypted one
	ReasonOtherTokenUse   = "other_token_use"    // a token_use that Cognito does not document
	ReasonMissingScope    = "missing_scope"      // no aws.cognito.signin.user.admin
	ReasonKeysUnavailable = "keys_unavailable"   // the pool's keys, or the one that kid names, cannot be fetched
)

const (
	// maxTokenBytes bounds the work that a stranger can ask for. Cognito's
	// access tokens measure one to two kilobytes. A user may be in 100 groups
	// with names of 128 characters each (Cognito's quotas, GroupNameType), which
	// make 20 KiB of a token; a Lambda trigger may add more.
	maxTokenBytes = 24 << 10
	// maxNameLength is the longest username, in characters, of Cognito's
	// UsernameType; sub is a UUID and far below.
	maxNameLength = 128
	// leeway allows for a clock that is off: RFC 7519 §4.1.4 speaks of "no more
	// than a few minutes".
	leeway = time.Minute
	// adminScope is what every Cognito operation that takes an access token
	// asks for.
	adminScope = "aws.cognito.signin.user.admin"
)

// Options says which tokens a Verifier accepts and how it comes by the
// keys.
type Options struct {
	// Pools are the user pools whose tokens are accepted. At least one.
	Pools []Pool
	// ClientIDs are the app clients whose tokens are accepted. At least one.
	ClientIDs []string
	// HTTPClient fetches the keys. Nil means a plain client; redirects are
	// never followed, and a fetch takes ten seconds at most.
	HTTPClient *http.Client
	// Now is the clock that tokens are held against. Nil means time.Now.
	Now func() time.Time
	// Logger is told of fetches that fail. Nil means silence.
	Logger *slog.Logger
	// RefreshInterval is the time between two fetches of a pool's keys. Zero
	// means an hour.
	RefreshInterval time.Duration
	// UnknownKeyInterval is the least time between two fetches of a pool's keys
	// because of tokens that name an unknown key, however many come. Zero means
	// a minute.
	UnknownKeyInterval time.Duration
}

// Pool is a user pool whose tokens are accepted.
type Pool struct {
	// ID is the pool's id, such as eu-west-1_AbCdEfGhI.
	ID string
	// Issuers are the values of iss that the pool's tokens can have. At least one.
	// All of them are signed with the same keys: a pool has one key set, and
	// switching its issuer type does not change it.
	Issuers []string
	// KeyURLs are the addresses of the pool's JSON Web Key Set. At least one. The
	// first that answers with keys counts, and the others are not asked: see
	// keySet.
	KeyURLs []string
}

// Verifier tells whether an access token is genuine, by the keys of its user
// pool. It is safe for concurrent use.
type Verifier struct {
	pools   []*keySet
	issuers map[string]*keySet // the pool of each issuer
	clients []string
	parser  *jwt.Parser
	now     func() time.Time
}

// New makes a verifier. It refuses options that can't work, and never
// waits for the network: Start fetches the keys.
func New(o Options) (*Verifier, error) {
	if len(o.Pools) == 0 {
		return nil, errors.New("token verifier: no user pool")
	}
	if len(o.ClientIDs) == 0 || slices.Contains(o.ClientIDs, "") {
		return nil, errors.New("token verifier: no client ID, or an empty one")
	}
	if o.RefreshInterval < 0 || o.UnknownKeyInterval < 0 {
		return nil, errors.New("token verifier: a negative interval")
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.RefreshInterval == 0 {
		o.RefreshInterval = time.Hour
	}
	if o.UnknownKeyInterval == 0 {
		o.UnknownKeyInterval = time.Minute
	}
	v := &Verifier{
		issuers: make(map[string]*keySet),
		clients: slices.Clone(o.ClientIDs),
		now:     o.Now,
		// checkHeader has refused every other method before golang-jwt does.
		// Strict decoding gives each token one spelling (RFC 4648 §3.5).
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithStrictDecoding(),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithLeeway(leeway),
			jwt.WithTimeFunc(o.Now),
		),
	}
	for _, pool := range o.Pools {
		keys, err := newKeySet(pool, o)
		if err != nil {
			return nil, fmt.Errorf("token verifier: pool %s: %w", pool.ID, err)
		}
		v.pools = append(v.pools, keys)
		for _, issuer := range pool.Issuers {
			if _, taken := v.issuers[issuer]; taken {
				return nil, fmt.Errorf("token verifier: two pools with the issuer %s", issuer)
			}
			v.issuers[issuer] = keys
		}
	}
	return v, nil
}

// Start fetches the keys of every pool in the background, again each
// RefreshInterval, and sooner after a failure, until ctx ends. It returns at
// once and is called once.
func (v *Verifier) Start(ctx context.Context) {
	for _, keys := range v.pools {
		go keys.run(ctx)
	}
}

// Fetch fetches the keys of every pool once, all at the same time, and tells by
// pool id what went wrong; nil where nothing did. It is for a check that does not
// Start.
func (v *Verifier) Fetch(ctx context.Context) map[string]error {
	failures := make([]error, len(v.pools))
	var fetching sync.WaitGroup
	for i, pool := range v.pools {
		fetching.Go(func() { failures[i] = pool.fetch(ctx) })
	}
	fetching.Wait()
	found := map[string]error{}
	for i, pool := range v.pools {
		found[pool.poolID] = failures[i]
	}
	return found
}

// Ready returns nil once the keys of every pool have been fetched, and stays
// nil; until then its error names the pools whose keys are missing.
func (v *Verifier) Ready() error {
	var missing []string
	for _, keys := range v.pools {
		if !keys.ready() {
			missing = append(missing, keys.poolID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("signing keys not fetched yet: %s", strings.Join(missing, ", "))
}

// KeyAge returns, for each pool ID, the time since the pool's keys were last
// fetched, or since New if they never were.
func (v *Verifier) KeyAge() map[string]time.Duration {
	ages := make(map[string]time.Duration, len(v.pools))
	for _, keys := range v.pools {
		ages[keys.poolID] = keys.age()
	}
	return ages
}

// Verify returns whom an access token speaks for. Every error is an
// *enroll.Error with one of the reasons above: of kind InvalidToken,
// WrongTokenUse, InsufficientScope, or UpstreamUnavailable as long as the
// pool's keys were never fetched and, for a key that is unknown, as long as they
// cannot be fetched again. Whether Cognito has revoked the token since is for Cognito
// alone to say.
//
// A known key is never waited for. A key that is unknown is waited for two
// seconds at most, and only while a fetch that it may cause is under way.
func (v *Verifier) Verify(ctx context.Context, token string) (enroll.Identity, error) {
	// golang-jwt reads the header once more, without minding names that occur
	// twice; what it reads is the same, since those are refused here.
	if err := checkHeader(token); err != nil {
		return enroll.Identity{}, err
	}
	claims := &accessClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		// The claims are not to be trusted yet. The issuer serves to choose the
		// keys alone: the signature then tells whether it is true.
		return v.key(ctx, claims.Issuer, t)
	})
	if err != nil {
		return enroll.Identity{}, refusal(err)
	}
	if err := v.admit(claims); err != nil {
		return enroll.Identity{}, err
	}
	identity := enroll.Identity{
		Token:    enroll.Secret(token),
		PoolID:   v.issuers[claims.Issuer].poolID,
		ClientID: claims.clientID,
		Subject:  claims.Subject,
		Username: claims.username,
		Groups:   claims.groups,
		SignIn:   signIn(claims, token),
		Expiry:   claims.ExpiresAt.Time,
	}
	if claims.authTime != nil {
		identity.AuthTime = claims.authTime.Time
	}
	return identity, nil
}

// signIn names the sign-in that a token comes from, the same for every token that
// is refreshed from it. origin_jti is Cognito's own name for it, and is missing
// where the app client has token revocation switched off ("Using the access
// token", Cognito's developer guide); auth_time is the sign-in's in refreshed
// tokens too. A token with neither is a sign-in of its own.
func signIn(c *accessClaims, token string) string {
	name := "token " + token
	switch {
	case c.originJTI != "":
		name = "origin_jti " + c.originJTI
	case c.authTime != nil:
		name = "auth_time " + strconv.FormatInt(c.authTime.Unix(), 10)
	}
	sum := sha256.Sum256([]byte(c.Subject + " " + name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (v *Verifier) key(ctx context.Context, issuer string, t *jwt.Token) (any, error) {
	if issuer == "" {
		return nil, enroll.Fail(enroll.InvalidToken, ReasonMissingClaim)
	}
	keys, ok := v.issuers[issuer]
	if !ok {
		return nil, enroll.Fail(enroll.InvalidToken, ReasonForeignIssuer)
	}
	return keys.find(ctx, t)
}

// admit judges the claims of a token whose signature and times are good. What
// kind of token it is comes first: an ID token has neither client_id nor scope,
// and its sender is helped by being told that it is one.
func (v *Verifier) admit(c *accessClaims) error {
	switch {
	case c.tokenUse == "":
		return enroll.Fail(enroll.InvalidToken, ReasonMissingClaim)
	case c.tokenUse == "id":
		return enroll.Fail(enroll.WrongTokenUse, ReasonIDToken)
	case c.tokenUse != "access":
		return enroll.Fail(enroll.WrongTokenUse, ReasonOtherTokenUse)
	case c.username == "" && c.clientID != "" && c.Subject == c.clientID:
		// The client-credentials grant (the token endpoint's, and GetClientToken): sub
		// is the app client, and there is no username.
		return enroll.Fail(enroll.InvalidToken, ReasonNobody)
	case c.clientID == "" || c.Subject == "" || c.username == "":
		return enroll.Fail(enroll.InvalidToken, ReasonMissingClaim)
	case !slices.Contains(v.clients, c.clientID):
		return enroll.Fail(enroll.InvalidToken, ReasonForeignClient)
	case utf8.RuneCountInString(c.Subject) > maxNameLength,
		utf8.RuneCountInString(c.username) > maxNameLength:
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	case c.authTime != nil && c.authTime.After(v.now().Add(leeway)):
		// A sign-in that lies ahead would stay recent for as long as it likes.
		return enroll.Fail(enroll.InvalidToken, ReasonNotYetValid)
	case !slices.Contains(strings.Split(c.scope, " "), adminScope):
		return enroll.Fail(enroll.InsufficientScope, ReasonMissingScope)
	}
	return nil
}

// refusal turns golang-jwt's error into the domain's. Its text may quote the
// token and is dropped.
func refusal(err error) error {
	if e, ok := errors.AsType[*enroll.Error](err); ok {
		return e
	}
	reason := ReasonMalformed
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		reason = ReasonBadSignature
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		reason = ReasonMissingClaim
	case errors.Is(err, jwt.ErrTokenExpired):
		reason = ReasonExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		reason = ReasonNotYetValid
	}
	return enroll.Fail(enroll.InvalidToken, reason)
}
