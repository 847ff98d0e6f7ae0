package enroll

import "context"

// Show returns the enrollment that is pending for the bearer of an access token,
// without a call to Cognito. NoPendingEnrollment: there is none, or nothing is kept.
func (s *Service) Show(ctx context.Context, id Identity) (Enrollment, error) {
	p, found := s.pending(ctx, pendingKey(Credential{Identity: &id}))
	if !found {
		return Enrollment{}, Fail(NoPendingEnrollment, "nothing to show")
	}
	return s.enrollment(p, "")
}
