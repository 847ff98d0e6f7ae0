package app_test

import (
	"io"
	"net"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// A client that never ends its headers, or its body, is cut after some seconds,
// so that it holds no connection for longer.
func TestASlowClientIsCut(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	for name, beginning := range map[string]string{
		"nothing":          "",
		"half the headers": "POST /v1/mfa/totp HTTP/1.1\r\nHost: a\r\nX-Slow: ",
		"half the body":    "POST /v1/mfa/totp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", w.App.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, beginning); err != nil {
				t.Fatal(err)
			}
			// Far more than the service's patience, for a slow machine.
			_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("it was not hung up: %v", err)
			}
		})
	}
}
