package cognitotest

import "time"

// attemptsAnHour are the operations that Cognito lets each user call so often
// within an hour, right or wrong. Of ForgotPassword and ConfirmForgotPassword AWS
// says "between 5 and 20", by the risk; reports have five
// (amazon-archives/amazon-cognito-identity-js#548, aws-amplify/amplify-ui-android#180):
// https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html#resource-quotas
var attemptsAnHour = map[string]int{
	"ChangePassword":         5,
	"ConfirmForgotPassword":  5,
	"ConfirmSignUp":          15,
	"ForgotPassword":         5,
	"ResendConfirmationCode": 5,
}

// attempts are a user's calls of one operation in the hour that begins with the
// first of them.
type attempts struct {
	since time.Time
	made  int
}

// attempt counts a call of such an operation, and refuses it when it is one too
// many. The caller holds s.mu.
func (s *Server) attempt(a *account, operation string) error {
	now, counted := s.now(), a.attempts[operation]
	if now.Sub(counted.since) >= time.Hour {
		counted = attempts{since: now}
	}
	if counted.made >= attemptsAnHour[operation] {
		return tooManyAttempts()
	}
	counted.made++
	a.attempts[operation] = counted
	return nil
}
