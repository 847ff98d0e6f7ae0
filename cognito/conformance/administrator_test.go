package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/internal/enroll"
)

// administrator is the SDK with credentials: any will do but at AWS, where the
// flow that needs them is not tried.
func (p *person) administrator() *idp.Client {
	return idp.New(p.sdk.Options(), func(o *idp.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		})
	})
}

// lookedUp is what an administrator sees of the person.
func (p *person) lookedUp(ctx context.Context) (*idp.AdminGetUserOutput, error) {
	return p.administrator().AdminGetUser(ctx, &idp.AdminGetUserInput{UserPoolId: &p.account.pool, Username: &p.username})
}

func (p *person) isSeenWithFactor(ctx context.Context) error {
	user, err := p.lookedUp(ctx)
	switch {
	case err != nil:
		return err
	case !slices.Contains(user.UserMFASettingList, enroll.MethodTOTP) || !user.Enabled || user.UserStatus != types.UserStatusTypeConfirmed:
		return fmt.Errorf("the user is %s, enabled %t, with the factors %q", user.UserStatus, user.Enabled, user.UserMFASettingList)
	}
	return nil
}

// unsignedIsRefused holds that an administrator's operation wants a signature.
func (p *person) unsignedIsRefused(ctx context.Context) error {
	_, err := p.sdk.AdminGetUser(ctx, &idp.AdminGetUserInput{UserPoolId: &p.account.pool, Username: &p.username})
	if err == nil {
		return errors.New("it is not refused")
	}
	return nil
}

func (p *person) isSwitchedOffByAdministrator(ctx context.Context) error {
	_, err := p.administrator().AdminSetUserMFAPreference(ctx, &idp.AdminSetUserMFAPreferenceInput{
		UserPoolId: &p.account.pool, Username: &p.username, SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{},
	})
	if err != nil {
		return err
	}
	return p.signsIn(ctx)
}

func (p *person) isSignedOutByAdministrator(ctx context.Context) error {
	if err := p.signsIn(ctx); err != nil {
		return err
	}
	_, err := p.administrator().AdminUserGlobalSignOut(ctx, &idp.AdminUserGlobalSignOutInput{UserPoolId: &p.account.pool, Username: &p.username})
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return p.isRefusedWith(ctx, p.tokens.Access, read)
}

func (p *person) isDisabled(ctx context.Context) error {
	_, err := p.administrator().AdminDisableUser(ctx, &idp.AdminDisableUserInput{UserPoolId: &p.account.pool, Username: &p.username})
	if err != nil {
		return err
	}
	_, err = p.sendPassword(ctx, "")
	return notAuthorized(err)
}

func (p *person) isEnabled(ctx context.Context) error {
	_, err := p.administrator().AdminEnableUser(ctx, &idp.AdminEnableUserInput{UserPoolId: &p.account.pool, Username: &p.username})
	if err != nil {
		return err
	}
	return p.signsIn(ctx)
}

func (p *person) isDeleted(ctx context.Context) error {
	_, err := p.administrator().AdminDeleteUser(ctx, &idp.AdminDeleteUserInput{UserPoolId: &p.account.pool, Username: &p.username})
	if err != nil {
		return err
	}
	if _, err := p.lookedUp(ctx); err == nil {
		return errors.New("a deleted user is found")
	} else if _, ok := errors.AsType[*types.UserNotFoundException](err); !ok {
		return fmt.Errorf("looking up a deleted user: %w; want a UserNotFoundException", err)
	}
	return nil
}
