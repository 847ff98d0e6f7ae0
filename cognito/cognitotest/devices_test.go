package cognitotest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// remembering is a pool that remembers devices.
func remembering(p *cognitotest.Pool) { p.Devices = &cognitotest.DeviceConfiguration{} }

func (s *standIn) confirm(t *testing.T, token, key string) error {
	t.Helper()
	_, err := s.sdk.ConfirmDevice(t.Context(), &cip.ConfirmDeviceInput{
		AccessToken: aws.String(token), DeviceKey: aws.String(key), DeviceName: aws.String("laptop"),
		DeviceSecretVerifierConfig: &types.DeviceSecretVerifierConfigType{PasswordVerifier: aws.String("dmVyaWZpZXI="), Salt: aws.String("c2FsdA==")},
	})
	return err
}

func TestADeviceIsConfirmedBeforeItsRefreshTokenIsTaken(t *testing.T) {
	s := start(t, changePool(optional, remembering))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient)).AuthenticationResult
	if in.NewDeviceMetadata == nil {
		t.Fatal("no metadata of a new device")
	}
	key, token := *in.NewDeviceMetadata.DeviceKey, *in.AccessToken
	if part(t, token, 1)["device_key"] != key || aws.ToString(in.NewDeviceMetadata.DeviceGroupKey) == "" {
		t.Errorf("the token does not name the device %s, or the device has no group", key)
	}
	named := map[string]string{"DEVICE_KEY": key}
	_, err := s.refresh(t, optionalClient, *in.RefreshToken, named)
	wantException(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	wantException(t, s.confirm(t, token, "us-east-1_00000000-0000-4000-8000-000000000000"), "InvalidParameterException", "Invalid device key given.")
	if err := s.confirm(t, token, key); err != nil {
		t.Fatal(err)
	}
	_, err = s.refresh(t, optionalClient, *in.RefreshToken, nil)
	wantException(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	refreshed := must[*cip.InitiateAuthOutput](t)(s.refresh(t, optionalClient, *in.RefreshToken, named)).AuthenticationResult
	if refreshed.NewDeviceMetadata != nil || part(t, *refreshed.AccessToken, 1)["device_key"] != key {
		t.Error("refreshing gives another device")
	}
	must[*cip.GetTokensFromRefreshTokenOutput](t)(s.sdk.GetTokensFromRefreshToken(t.Context(), &cip.GetTokensFromRefreshTokenInput{
		ClientId: aws.String(optionalClient), RefreshToken: in.RefreshToken, DeviceKey: aws.String(key),
	}))
}

func TestASignInFromAKnownDeviceGivesNoOther(t *testing.T) {
	s := start(t, changePool(optional, remembering), changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	first := s.SignIn(optional, optionalClient, "ada")
	if err := s.confirm(t, first.AccessToken, first.DeviceKey); err != nil {
		t.Fatal(err)
	}
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, optionalClient, in.ChallengeName, *in.Session,
		map[string]string{"SOFTWARE_TOKEN_MFA_CODE": s.code(t, enrolledSecret, 0), "DEVICE_KEY": first.DeviceKey}))
	if got := out.AuthenticationResult; got.NewDeviceMetadata != nil || part(t, *got.AccessToken, 1)["device_key"] != first.DeviceKey {
		t.Error("the sign-in does not come from the device that it names")
	}
	_, err := s.signIn(t, optionalClient, with("DEVICE_KEY", "us-east-1_00000000-0000-4000-8000-000000000000"))
	wantException(t, err, "ResourceNotFoundException", "Device does not exist.")
}

func TestConfirmedDevicesAreListedUntilTheyAreForgotten(t *testing.T) {
	s := start(t, changePool(optional, remembering))
	one, other := s.SignIn(optional, optionalClient, "ada"), s.SignIn(optional, optionalClient, "ada")
	list := func() []types.DeviceType {
		return must[*cip.ListDevicesOutput](t)(s.sdk.ListDevices(t.Context(), &cip.ListDevicesInput{AccessToken: aws.String(one.AccessToken)})).Devices
	}
	if n := len(list()); n != 0 {
		t.Errorf("%d devices before one was confirmed", n)
	}
	for _, tokens := range []cognitotest.Tokens{one, other} {
		if err := s.confirm(t, tokens.AccessToken, tokens.DeviceKey); err != nil {
			t.Fatal(err)
		}
	}
	if devices := list(); len(devices) != 2 || *devices[0].DeviceAttributes[0].Value != "laptop" {
		t.Errorf("devices %+v", devices)
	}
	forget := func(key string) error {
		_, err := s.sdk.ForgetDevice(t.Context(), &cip.ForgetDeviceInput{AccessToken: aws.String(one.AccessToken), DeviceKey: aws.String(key)})
		return err
	}
	if err := forget(other.DeviceKey); err != nil {
		t.Fatal(err)
	}
	wantException(t, forget(other.DeviceKey), "ResourceNotFoundException", "Device does not exist.")
	if devices := list(); len(devices) != 1 || *devices[0].DeviceKey != one.DeviceKey {
		t.Errorf("devices %+v", devices)
	}
	_, err := s.refresh(t, optionalClient, other.RefreshToken, map[string]string{"DEVICE_KEY": other.DeviceKey})
	wantException(t, err, "NotAuthorizedException", "Invalid Refresh Token")
}

func TestDevicesAreListedByPages(t *testing.T) {
	s := start(t, changePool(optional, remembering))
	var token string
	want := map[string]bool{}
	for range 5 {
		in := s.SignIn(optional, optionalClient, "ada")
		if err := s.confirm(t, in.AccessToken, in.DeviceKey); err != nil {
			t.Fatal(err)
		}
		token, want[in.DeviceKey] = in.AccessToken, true
	}
	var next *string
	for _, n := range []int{2, 2, 1} {
		out := must[*cip.ListDevicesOutput](t)(s.sdk.ListDevices(t.Context(), &cip.ListDevicesInput{AccessToken: &token, Limit: aws.Int32(2), PaginationToken: next}))
		if len(out.Devices) != n || (out.PaginationToken == nil) != (n == 1) {
			t.Fatalf("%d devices, and more: %t, want %d", len(out.Devices), out.PaginationToken != nil, n)
		}
		for _, d := range out.Devices {
			delete(want, *d.DeviceKey)
		}
		next = out.PaginationToken
	}
	if len(want) > 0 {
		t.Errorf("%d devices are on no page", len(want))
	}
}
