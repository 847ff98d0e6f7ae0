package cognitotest

type forgetDeviceInput struct {
	AccessToken string
	DeviceKey   string
}

// forgetDevice forgets a device of the user's, and with it the refresh tokens of
// its sign-ins:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ForgetDevice.html
func (s *Server) forgetDevice(in *forgetDeviceInput) (any, error) {
	var c constraints
	c.required("deviceKey", in.DeviceKey, deviceKeyShape)
	a, _, err := s.signedInUser(in.AccessToken, c...)
	if err != nil {
		return nil, err
	}
	if err := a.checkDevice(in.DeviceKey); err != nil {
		return nil, err
	}
	delete(a.devices, in.DeviceKey)
	return struct{}{}, nil
}
