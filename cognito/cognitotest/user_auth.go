package cognitotest

import (
	"maps"
	"slices"
)

// The flow USER_AUTH lets the user choose what to begin with: a password, or a
// code by mail or SMS. A pool of the LITE tier has no such flow:
// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-selection-sdk.html#authentication-flows-selection-choice

// The first factors beside the password, with the API's names for their
// challenges; EMAIL_OTP is also a second factor.
const smsOTP challenge = "SMS_OTP"

// initiateChoice begins a sign-in of which the user chooses the first factor.
func (s *Server) initiateChoice(c *client, parameters map[string]string) (any, error) {
	username := parameters["USERNAME"]
	if username == "" {
		return nil, missing("USERNAME")
	}
	if err := c.checkSecretHash(username, parameters); err != nil {
		return nil, err
	}
	if c.pool.tier() == "LITE" {
		return nil, notInLite("USER_AUTH")
	}
	a := c.pool.byName(username)
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, userNotFound()
	case a == nil || a.Federated:
		return nil, wrongPassword()
	}
	if err := a.confirmed(); err != nil {
		return nil, err
	}
	in := session{client: c, account: a, device: parameters["DEVICE_KEY"]}
	if preferred := parameters["PREFERRED_CHALLENGE"]; slices.Contains(c.pool.firstFactors(a), preferred) {
		return s.firstFactor(in, preferred, parameters)
	}
	return s.offerChoice(in), nil
}

// offerChoice asks what to begin with.
func (s *Server) offerChoice(in session) authOutput {
	out := s.challenge(in, selectChallenge, map[string]string{})
	out.AvailableChallenges = in.client.pool.firstFactors(in.account)
	return out
}

// firstFactors are what the pool lets the user begin with: always the password,
// which Cognito does not let a pool leave out. Whoever has to give a second factor,
// or a new password, begins with the password alone, since Cognito supports no
// passwordless sign-in for users with MFA (aws-amplify/docs#8567):
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html#user-pool-settings-mfa-prerequisites
func (p *pool) firstFactors(a *account) []string {
	factors := []string{"PASSWORD", "PASSWORD_SRP"}
	if a.ForceNewPassword || p.MFA == MFARequired || p.MFA == MFAOptional && len(p.factors(a)) > 0 {
		return factors
	}
	for _, f := range p.FirstFactors {
		if f == "EMAIL_OTP" && a.Attributes["email"] != "" || f == "SMS_OTP" && a.Attributes["phone_number"] != "" {
			factors = append(factors, f)
		}
	}
	return factors
}

// firstFactor begins with the factor that was chosen.
func (s *Server) firstFactor(in session, chosen string, given map[string]string) (any, error) {
	switch chosen {
	case "PASSWORD":
		if given["PASSWORD"] == "" {
			return s.challenge(in, passwordChallenge, map[string]string{}), nil
		}
		return s.checkPasswordOf(in, given["PASSWORD"])
	case "PASSWORD_SRP":
		named := maps.Clone(given)
		named["USERNAME"] = in.account.Username
		if in.client.Secret != "" {
			named["SECRET_HASH"] = in.client.hash(in.account.Username) // it was checked before
		}
		return s.initiateSRP(in.client, named)
	case "EMAIL_OTP", "SMS_OTP":
		if err := in.account.usable(); err != nil {
			return nil, err
		}
		name, attribute, length := emailOTP, "email", 8
		if chosen == "SMS_OTP" {
			name, attribute, length = smsOTP, "phone_number", 6
		}
		delivery := s.send(in.account, attribute, forSignIn, length)
		return s.challenge(in, name, map[string]string{
			"CODE_DELIVERY_DELIVERY_MEDIUM": delivery.DeliveryMedium,
			"CODE_DELIVERY_DESTINATION":     delivery.Destination,
		}), nil
	default:
		return nil, invalidParameter("Selected challenge is not available.")
	}
}

// answerChoice takes the answer to SELECT_CHALLENGE or PASSWORD.
func (s *Server) answerChoice(to *session, responses map[string]string) (any, error) {
	chosen := responses["ANSWER"]
	if to.challenge == passwordChallenge {
		chosen = "PASSWORD"
		if responses["PASSWORD"] == "" {
			return nil, missing("PASSWORD")
		}
	}
	switch {
	case chosen == "":
		return nil, missing("ANSWER")
	case !slices.Contains(to.client.pool.firstFactors(to.account), chosen):
		return nil, invalidParameter("Selected challenge is not available.")
	}
	out, err := s.firstFactor(*to, chosen, responses)
	if err == nil {
		to.used = true
	}
	return out, err
}
