package cognito

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// Issuers are the two values that iss can have in the tokens of one user pool.
// Which of them a pool uses is its issuer type (IssuerConfigurationType in
// Cognito's API reference). It can be switched while people hold tokens, so both
// are good at any time. The key set of each is at /.well-known/jwks.json below it.
type Issuers struct {
	Original string // https://cognito-idp.REGION.SUFFIX/POOL
	Updated  string // https://issuer-cognito-idp.REGION.SUFFIX/POOL
}

// IssuersOf returns the issuers of a user pool, by the id that begins with its
// region. The suffix is that of the region's partition, as the SDK knows it:
// amazonaws.com in most, amazonaws.com.cn in China. FIPS and dual-stack endpoints
// are for calls alone and change no issuer.
//
// A pool that is replicated to other regions keeps the region of its id here.
// Whether the original type then names the replica's region in iss is disputed
// (aws-jwt-verify#285), and such tokens are not accepted.
func IssuersOf(poolID string) (Issuers, error) {
	region, _, found := strings.Cut(poolID, "_")
	if !found || region == "" {
		return Issuers{}, fmt.Errorf("the user pool id %q names no region", poolID)
	}
	// The plain endpoint is cognito-idp.REGION.SUFFIX in every partition. The
	// SDK's table of partitions is internal to it, and this is its public face.
	endpoint, err := idp.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), idp.EndpointParameters{Region: aws.String(region)})
	if err != nil {
		return Issuers{}, fmt.Errorf("the region of the user pool %q: %w", poolID, err)
	}
	host := endpoint.URI.Host
	return Issuers{Original: "https://" + host + "/" + poolID, Updated: "https://issuer-" + host + "/" + poolID}, nil
}
