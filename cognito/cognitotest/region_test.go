package cognitotest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

func TestAPoolIsInTheRegionOfItsID(t *testing.T) {
	const id = "eu-west-1_Team"
	s := start(t, func(o *cognitotest.Options) {
		o.Pools = append(o.Pools, cognitotest.Pool{
			ID: id, Devices: &cognitotest.DeviceConfiguration{},
			Clients: []cognitotest.Client{{ID: "team"}}, Users: []cognitotest.User{user("ada")},
		})
	})
	tokens := s.SignIn(id, "team", "ada")
	if got := part(t, tokens.AccessToken, 1)["iss"]; got != "https://cognito-idp.eu-west-1.amazonaws.com/"+id {
		t.Errorf("issuer %v", got)
	}
	if !strings.HasPrefix(tokens.DeviceKey, "eu-west-1_") {
		t.Errorf("device %s", tokens.DeviceKey)
	}
	if err := s.getUser(t, tokens.AccessToken); err != nil {
		t.Error(err)
	}
	if status, issuer := s.documentAt(t, "", "/"+id+"/.well-known/openid-configuration"); status != http.StatusOK || !strings.Contains(issuer, "eu-west-1") {
		t.Errorf("discovery: %d %s", status, issuer)
	}
	second := empty(t)
	if err := second.Load(s.Dump()); err != nil {
		t.Error(err)
	}
}

func TestAPoolIsMadeInTheRegionOfTheSignature(t *testing.T) {
	s := empty(t)
	for region, partition := range map[string]string{"eu-west-1": "aws", "us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		admin := cip.New(s.administrator().Options(), func(o *cip.Options) { o.Region = region })
		pool := must[*cip.CreateUserPoolOutput](t)(admin.CreateUserPool(t.Context(), &cip.CreateUserPoolInput{PoolName: aws.String("x")})).UserPool
		if !strings.HasPrefix(*pool.Id, region+"_") || *pool.Arn != "arn:"+partition+":cognito-idp:"+region+":000000000000:userpool/"+*pool.Id {
			t.Errorf("%s: pool %s, %s", region, *pool.Id, *pool.Arn)
		}
	}
	// A signature for all regions (SigV4A) names none.
	_, body := send(t, s, "AWSCognitoIdentityProviderService.CreateUserPool",
		"AWS4-ECDSA-P256-SHA256 Credential=any/20260314/cognito-idp/aws4_request, SignedHeaders=host, Signature=any", `{"PoolName":"x"}`)
	if !strings.Contains(body, `"Id":"us-east-1_`) {
		t.Errorf("without a region: %s", body)
	}
	_, body = send(t, s, "AWSCognitoIdentityProviderService.CreateUserPool",
		"AWS4-HMAC-SHA256 Credential=any/20260314/NOWHERE!/cognito-idp/aws4_request, SignedHeaders=host, Signature=any", `{"PoolName":"x"}`)
	if !strings.Contains(body, `"Id":"us-east-1_`) {
		t.Errorf("with a region that is none: %s", body)
	}
}
