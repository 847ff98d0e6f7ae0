package cognitotest_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

func TestListenTakesLoopbackAddressesOnly(t *testing.T) {
	for addr, fine := range map[string]bool{
		"127.0.0.1:0":    true,
		"localhost:0":    true,
		":0":             false,
		"0.0.0.0:0":      false,
		"[::]:0":         false,
		"192.0.2.1:9229": false,
		"127.0.0.1":      false,
	} {
		listener, err := cognitotest.Listen(addr)
		if (err == nil) != fine {
			t.Errorf("%s: %v", addr, err)
		}
		if listener != nil {
			_ = listener.Close()
		}
		if err != nil && !strings.Contains(err.Error(), addr) {
			t.Errorf("the error for %s does not name it: %v", addr, err)
		}
	}
}
