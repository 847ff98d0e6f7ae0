package cognitotest

type forgetDeviceInput struct {
	AccessToken string `shape:"TokenModelType,required"`
	DeviceKey   string `shape:"DeviceKeyType,required"`
}

// forgetDevice forgets a device of the user's, and with it the refresh tokens of
// its sign-ins:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ForgetDevice.html
func (s *Server) forgetDevice(in *forgetDeviceInput) (any, error) {
	a, _, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := a.checkDevice(in.DeviceKey); err != nil {
		return nil, err
	}
	delete(a.devices, in.DeviceKey)
	return struct{}{}, nil
}
