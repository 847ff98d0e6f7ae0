package cognitotest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
)

// A user who is signed in sets up an authenticator app, and the test plays the
// app.
func Example() {
	ctx := context.Background()
	server, err := cognitotest.New(cognitotest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	web := httptest.NewServer(server)
	defer web.Close()
	client := cip.New(cip.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(web.URL),
		Credentials:  aws.AnonymousCredentials{},
	})

	token := aws.String(server.SignIn("us-east-1_Optional", "demo-optional", "ada").AccessToken)
	associated, err := client.AssociateSoftwareToken(ctx, &cip.AssociateSoftwareTokenInput{AccessToken: token})
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := totp.GenerateCode(*associated.SecretCode, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := client.VerifySoftwareToken(ctx, &cip.VerifySoftwareTokenInput{AccessToken: token, UserCode: &code})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verified.Status, server.TOTPSecret("us-east-1_Optional", "ada") == *associated.SecretCode)
	// Output: SUCCESS true
}
