package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

// verifier is the service's, with the keys of the person's pool.
func (p *person) verifier(ctx context.Context) (*token.Verifier, error) {
	const jwks = "/.well-known/jwks.json"
	issuers, err := cognito.IssuersOf(p.account.pool)
	if err != nil {
		return nil, err
	}
	pool := token.Pool{
		ID: p.account.pool, Issuers: []string{issuers.Original, issuers.Updated},
		KeyURLs: []string{issuers.Original + jwks, issuers.Updated + jwks},
	}
	if p.on.endpoint != "" {
		pool.KeyURLs = []string{p.on.endpoint + "/" + p.account.pool + jwks}
	}
	v, err := token.New(token.Options{Pools: []token.Pool{pool}, ClientIDs: []string{p.client}, Now: p.on.now})
	if err != nil {
		return nil, err
	}
	v.Start(ctx)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for v.Ready() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, v.Ready()
		}
	}
	return v, nil
}

func (p *person) satisfiesVerifier(ctx context.Context) error {
	v, err := p.verifier(ctx)
	if err != nil {
		return err
	}
	who, err := v.Verify(ctx, p.tokens.Access.Reveal())
	if err != nil {
		return err
	}
	u, err := p.pool.User(ctx, p.tokens.Access)
	if err == nil && (who.Subject != u.Attributes["sub"] || who.Username != u.Username || who.AuthTime.IsZero()) {
		err = errors.New("the token does not say what GetUser says, or not when the person signed in")
	}
	return err
}

func (p *person) sendsIDTokenToVerifier(ctx context.Context) error {
	v, err := p.verifier(ctx)
	if err != nil {
		return err
	}
	_, err = v.Verify(ctx, p.tokens.ID.Reveal())
	return refused(err, enroll.WrongTokenUse)
}

// operation is a call that an access token allows.
type operation func(context.Context, pool, enroll.Credential) error

func associate(ctx context.Context, c pool, by enroll.Credential) error {
	_, err := c.Associate(ctx, by)
	return err
}

func verify(ctx context.Context, c pool, by enroll.Credential) error {
	_, err := c.Verify(ctx, by, "123456", "")
	return err
}

func switchOff(ctx context.Context, c pool, by enroll.Credential) error {
	return c.SetTOTP(ctx, by.Identity.Token, enroll.Preference{})
}

func read(ctx context.Context, c pool, by enroll.Credential) error {
	_, err := c.User(ctx, by.Identity.Token)
	return err
}

// forges changes the signature of a good token, and nothing else.
func forges(op operation) do {
	return func(p *person, ctx context.Context) error {
		token := []byte(p.tokens.Access.Reveal())
		first := &token[bytes.LastIndexByte(token, '.')+1]
		if *first == 'A' {
			*first = 'B'
		} else {
			*first = 'A'
		}
		return p.isRefusedWith(ctx, enroll.Secret(token), op)
	}
}

func (p *person) isRefusedWith(ctx context.Context, token enroll.Secret, op operation) error {
	return refused(op(ctx, p.pool, enroll.Credential{Identity: &enroll.Identity{Token: token}}), enroll.InvalidToken)
}

func (p *person) sendsNoToken(ctx context.Context) error {
	return p.isRefusedWith(ctx, "no-token", read)
}

func (p *person) sendsIDToken(ctx context.Context) error {
	return p.isRefusedWith(ctx, p.tokens.ID, read)
}

func (p *person) signsOut(ctx context.Context) error {
	_, err := p.sdk.GlobalSignOut(ctx, &idp.GlobalSignOutInput{AccessToken: aws.String(p.tokens.Access.Reveal())})
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return p.isRefusedWith(ctx, p.tokens.Access, read)
}

func (p *person) comesBackLate(ctx context.Context) error {
	if err := p.signsIn(ctx); err != nil {
		return err
	}
	if err := p.waits(time.Hour); err != nil {
		return err
	}
	return p.isRefusedWith(ctx, p.tokens.Access, read)
}
