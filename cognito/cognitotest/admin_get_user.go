package cognitotest

type adminGetUserOutput struct {
	Enabled              bool
	PreferredMfaSetting  Factor `json:",omitempty"`
	UserAttributes       []attribute
	UserCreateDate       epoch
	UserLastModifiedDate epoch
	UserMFASettingList   []Factor `json:",omitempty"`
	UserStatus           string
	Username             string
}

// adminGetUser says what a pool knows of a user:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html
func (s *Server) adminGetUser(p *pool, a *account) (any, error) {
	return adminGetUserOutput{
		Enabled:              !a.Disabled,
		PreferredMfaSetting:  p.preference(a),
		UserAttributes:       a.attributes(),
		UserCreateDate:       epoch(a.created),
		UserLastModifiedDate: epoch(a.modified),
		UserMFASettingList:   p.factors(a),
		UserStatus:           a.status(),
		Username:             a.Username,
	}, nil
}
