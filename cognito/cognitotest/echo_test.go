package cognitotest_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhatIsEchoedIsShort(t *testing.T) {
	s := start(t)
	long := strings.Repeat("é", 100_000)
	for operation, body := range map[string]string{
		"InitiateAuth":           `{"ClientId":"demo-optional","AuthFlow":"` + long + `"}`,
		"SetUserPoolMfaConfig":   `{"UserPoolId":"us-east-1_Optional","MfaConfiguration":"` + long + `"}`,
		"RespondToAuthChallenge": `{"ClientId":"demo-optional","ChallengeName":"` + long + `"}`,
	} {
		res, answer := postSigned(t, s, operation, body)
		message := res.Header.Get("X-Amzn-ErrorMessage")
		if res.StatusCode != http.StatusBadRequest || len(answer) > 8192 || len(message) > 4096 || message == "" {
			t.Errorf("%s: %d bytes, and %d in the header", operation, len(answer), len(message))
		}
		if !strings.Contains(answer, message) {
			t.Errorf("%s: header and body differ", operation)
		}
	}
}
