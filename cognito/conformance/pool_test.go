package conformance

import (
	"context"

	"mfa-enrollment/cognito"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
)

// pool is the client of the service, with a permit for every call: what is tested
// here is Cognito, and not the limits.
type pool struct{ *cognito.Client }

func (c pool) Associate(ctx context.Context, by enroll.Credential) (enroll.Association, error) {
	return c.Client.Associate(ctx, permit.Mint(), by)
}

func (c pool) Verify(ctx context.Context, by enroll.Credential, code enroll.Secret, deviceName string) (enroll.Secret, error) {
	return c.Client.Verify(ctx, permit.Mint(), by, code, deviceName)
}

func (c pool) SetTOTP(ctx context.Context, token enroll.Secret, change enroll.Preference) error {
	return c.Client.SetTOTP(ctx, permit.Mint(), token, change)
}

func (c pool) User(ctx context.Context, token enroll.Secret) (enroll.User, error) {
	return c.Client.User(ctx, permit.Mint(), token)
}

func (c pool) Answer(ctx context.Context, a enroll.Answer) (enroll.SignIn, error) {
	return c.Client.Answer(ctx, permit.Mint(), a)
}
