package cognitotest

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"
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

// purpose is what a code was sent for. It is good for nothing else.
type purpose string

const (
	forSignIn purpose = "sign-in"
	forSignUp purpose = "sign-up"
	forReset  purpose = "a forgotten password"

	forAttribute purpose = "an attribute"
)

// life is how long a code is good:
// https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html
func (p purpose) life() time.Duration {
	if p == forSignUp || p == forAttribute {
		return 24 * time.Hour
	}
	return time.Hour
}

// sentCode is a code that was sent.
type sentCode struct {
	code    string
	purpose purpose
	expires time.Time
}

// sendFactor sends the code of a second factor. The caller holds s.mu.
func (s *Server) sendFactor(a *account, f Factor) codeDelivery {
	length := 6
	if f == EmailOTP {
		length = 8
	}
	return s.send(a, f.attribute(), forSignIn, length)
}

// send makes a code that only [Server.SentCode] knows: no message is sent. The
// caller holds s.mu.
func (s *Server) send(a *account, attribute string, to purpose, length int) codeDelivery {
	medium := "SMS"
	if attribute == "email" {
		medium = "EMAIL"
	}
	a.forgetSent(to)
	a.sent = append(a.sent, sentCode{code: s.digits(length), purpose: to, expires: s.now().Add(to.life())})
	return codeDelivery{AttributeName: attribute, DeliveryMedium: medium, Destination: masked(a.Attributes[attribute])}
}

// sentFor is the code that was sent for this and was not used, the zero value when
// there is none.
func (a *account) sentFor(to purpose) sentCode {
	for _, c := range a.sent {
		if c.purpose == to {
			return c
		}
	}
	return sentCode{}
}

// lastSent is the latest code that was sent and was not used.
func (a *account) lastSent() sentCode {
	if len(a.sent) == 0 {
		return sentCode{}
	}
	return a.sent[len(a.sent)-1]
}

// forgetSent forgets the code that was sent for this.
func (a *account) forgetSent(to purpose) {
	a.sent = slices.DeleteFunc(slices.Clone(a.sent), func(c sentCode) bool { return c.purpose == to })
}

// fits says whether a code is the one that was sent.
func (c sentCode) fits(code string) bool {
	return c.code != "" && subtle.ConstantTimeCompare([]byte(code), []byte(c.code)) == 1
}

// takeCode takes the code that was sent for a sign-in, once.
func (a *account) takeCode(code string) bool {
	if !a.sentFor(forSignIn).fits(code) {
		return false
	}
	a.forgetSent(forSignIn)
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
