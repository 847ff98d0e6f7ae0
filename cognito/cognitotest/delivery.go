package cognitotest

import (
	"crypto/subtle"
	"strings"
)

// codeDelivery says where a code was sent, without saying it all.
type codeDelivery struct {
	AttributeName  string
	DeliveryMedium string
	Destination    string
}

// attribute is where a factor's codes are sent to, empty where none are sent.
func (f Factor) attribute() string {
	switch f {
	case SMS:
		return "phone_number"
	case EmailOTP:
		return "email"
	default:
		return ""
	}
}

// sendCode makes a code that only [Server.SentCode] knows: no message is sent.
// The caller holds s.mu.
func (a *account) sendCode(f Factor, s *Server) codeDelivery {
	to := codeDelivery{AttributeName: f.attribute(), DeliveryMedium: "SMS"}
	length := 6
	if f == EmailOTP {
		to.DeliveryMedium, length = "EMAIL", 8
	}
	to.Destination = masked(a.Attributes[to.AttributeName])
	a.sent = s.digits(length)
	return to
}

// takeCode takes the code that was sent, once.
func (a *account) takeCode(code string) bool {
	if a.sent == "" || subtle.ConstantTimeCompare([]byte(code), []byte(a.sent)) != 1 {
		return false
	}
	a.sent = ""
	return true
}

// masked is an address as Cognito shows it: a***@e*** or +*******0123.
func masked(address string) string {
	if name, domain, ok := strings.Cut(address, "@"); ok && name != "" && domain != "" {
		return name[:1] + "***@" + domain[:1] + "***"
	}
	number := strings.TrimPrefix(address, "+")
	shown := max(0, len(number)-4)
	return "+" + strings.Repeat("*", shown) + number[shown:]
}

// digits returns n random digits. The caller holds s.mu.
func (s *Server) digits(n int) string {
	b := s.random(n)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}
