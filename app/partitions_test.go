package app

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/cognito"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
)

// recorder is a transport that keeps the host of the last call and answers none.
type recorder struct{ host string }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.host = request.URL.Host
	return nil, errors.New("nobody is called")
}

// calledHost is the host that calls go to, as the SDK resolves it.
func calledHost(t *testing.T, c Config) string {
	t.Helper()
	r := &recorder{}
	o := c.client()
	o.Transport, o.Metrics, o.Now = r, metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), time.Now
	_, err := cognito.NewClient(o).User(t.Context(), permit.Mint(), "token")
	if r.host == "" {
		t.Fatalf("nothing was sent: %v", errors.Unwrap(err))
	}
	return r.host
}

// Whether a host exists is AWS's affair; which one is called is what the SDK
// answers. Issuers and keys follow from the pool alone.
func TestHostsAndIssuersOfEveryPartition(t *testing.T) {
	t.Parallel()
	const pool = "_AbCdEfGhI"
	for _, test := range []struct{ region, suffix, dualStack string }{
		{"us-east-1", "amazonaws.com", "us-east-1.amazonaws.com"}, // One host for both in this partition.
		{"us-gov-west-1", "amazonaws.com", "us-gov-west-1.api.aws"},
		{"cn-north-1", "amazonaws.com.cn", "cn-north-1.api.amazonwebservices.com.cn"},
		{"us-iso-east-1", "c2s.ic.gov", "us-iso-east-1.api.aws.ic.gov"},
		{"us-isob-east-1", "sc2s.sgov.gov", "us-isob-east-1.api.aws.scloud"},
		{"eusc-de-east-1", "amazonaws.eu", "eusc-de-east-1.api.amazonwebservices.eu"},
	} {
		plain := test.region + "." + test.suffix
		for _, fips := range []bool{false, true} {
			for _, dualStack := range []bool{false, true} {
				name := test.region + " FIPS=" + strconv.FormatBool(fips) + " dual-stack=" + strconv.FormatBool(dualStack)
				t.Run(name, func(t *testing.T) {
					c, err := LoadConfig(enough(map[string]string{
						"COGNITO_USER_POOL_IDS": test.region + pool,
						"AWS_USE_FIPS_ENDPOINT": strconv.FormatBool(fips), "AWS_USE_DUALSTACK_ENDPOINT": strconv.FormatBool(dualStack),
					}))
					if err != nil {
						t.Fatal(err)
					}
					want := "cognito-idp." + plain
					switch {
					case dualStack && fips && test.region == "us-east-1":
						want = "cognito-idp-fips.us-east-1.amazonaws.com"
					case dualStack && fips:
						want = "cognito-idp-fips." + test.dualStack
					case dualStack:
						want = "cognito-idp." + test.dualStack
					case fips:
						want = "cognito-idp-fips." + plain
					}
					if got := calledHost(t, c); got != want {
						t.Errorf("calls go to %s, want %s", got, want)
					}
					pools, err := c.pools()
					if err != nil {
						t.Fatal(err)
					}
					issuers := []string{"https://cognito-idp." + plain + "/" + test.region + pool, "https://issuer-cognito-idp." + plain + "/" + test.region + pool}
					if !slices.Equal(pools[0].Issuers, issuers) {
						t.Errorf("issuers are %v, want %v", pools[0].Issuers, issuers)
					}
					var keys []string
					for _, address := range pools[0].KeyURLs {
						u, err := url.Parse(address)
						if err != nil || !strings.HasSuffix(u.Path, test.region+pool+"/.well-known/jwks.json") {
							t.Errorf("keys come from %s: %v", address, err)
						}
						keys = append(keys, u.Host)
					}
					if want := []string{"cognito-idp." + plain, "issuer-cognito-idp." + plain}; !slices.Equal(keys, want) {
						t.Errorf("keys come from %v, want %v", keys, want)
					}
				})
			}
		}
	}
}

func TestTheEndpointMovesCallsAndKeysAndNotTheIssuers(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig(enough(map[string]string{"COGNITO_ENDPOINT": "http://127.0.0.1:9229/"}))
	if err != nil {
		t.Fatal(err)
	}
	if host := calledHost(t, c); host != "127.0.0.1:9229" {
		t.Errorf("calls go to %s", host)
	}
	pools, err := c.pools()
	if err != nil {
		t.Fatal(err)
	}
	if got := pools[0].KeyURLs; !slices.Equal(got, []string{"http://127.0.0.1:9229/eu-west-1_AbCdEfGhI/.well-known/jwks.json"}) {
		t.Errorf("keys come from %v", got)
	}
	const issuer = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
	if got := pools[0].Issuers; !slices.Equal(got, []string{"https://" + issuer, "https://issuer-" + issuer}) {
		t.Errorf("issuers are %v", got)
	}
}

// The SDK refuses every call then; the operator must learn of it at the start.
func TestAnEndpointAndAWSsOtherEndpointsExcludeEachOther(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"} {
		_, err := LoadConfig(enough(map[string]string{"COGNITO_ENDPOINT": "http://127.0.0.1:9229", name: "true"}))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s beside COGNITO_ENDPOINT: %v", name, err)
		}
	}
}
