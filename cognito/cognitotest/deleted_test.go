package cognitotest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

func TestNothingOfADeletedUserWorksForANamesake(t *testing.T) {
	ada := aws.String("ada")
	for name, remove := range map[string]func(*tenant, string) error{
		"DeleteUser": func(x *tenant, token string) error {
			_, err := x.sdk.DeleteUser(t.Context(), &cip.DeleteUserInput{AccessToken: &token})
			return err
		},
		"AdminDeleteUser": func(x *tenant, _ string) error {
			_, err := x.admin.AdminDeleteUser(t.Context(), &cip.AdminDeleteUserInput{UserPoolId: &x.pool, Username: ada})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := empty(t).make(t, made{})
			x.createTemporary(t, "ada", password)
			open := *must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).Session
			must[*cip.AdminSetUserPasswordOutput](t)(x.admin.AdminSetUserPassword(t.Context(), &cip.AdminSetUserPasswordInput{
				UserPoolId: &x.pool, Username: ada, Password: aws.String(password), Permanent: true,
			}))
			tokens := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult
			code := x.AuthorizationCode(x.pool, x.client, "ada", "openid", "", "")
			if err := remove(x, *tokens.AccessToken); err != nil {
				t.Fatal(err)
			}
			x.create(t, "ada", password)

			wantException(t, x.getUser(t, *tokens.AccessToken), "UserNotFoundException", "User does not exist.")
			_, err := x.initiate(t, types.AuthFlowTypeRefreshTokenAuth, "ada", map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken})
			wantException(t, err, "NotAuthorizedException", "")
			_, err = x.sdk.GetTokensFromRefreshToken(t.Context(), &cip.GetTokensFromRefreshTokenInput{ClientId: &x.client, RefreshToken: tokens.RefreshToken})
			wantException(t, err, "NotAuthorizedException", "")
			_, err = x.answer(t, types.ChallengeNameTypeNewPasswordRequired, open, "ada", map[string]string{"NEW_PASSWORD": otherPassword})
			wantException(t, err, "NotAuthorizedException", "")
			for grant, form := range map[string]url.Values{
				"authorization_code": {"code": {code}}, "refresh_token": {"refresh_token": {*tokens.RefreshToken}},
			} {
				form.Set("grant_type", grant)
				form.Set("client_id", x.client)
				res := must[*http.Response](t)(http.PostForm(x.url+"/oauth2/token", form))
				_ = res.Body.Close()
				if res.StatusCode != http.StatusBadRequest {
					t.Errorf("%s of a deleted user: status %d", grant, res.StatusCode)
				}
			}
		})
	}
}
