package cognitotest

type confirmDeviceInput struct {
	AccessToken                string
	DeviceKey                  string
	DeviceName                 string
	DeviceSecretVerifierConfig *struct{ PasswordVerifier, Salt string }
}

type confirmDeviceOutput struct {
	UserConfirmationNecessary bool
}

// confirmDevice makes a device remembered. The password that the device has from
// here on is not kept, since nothing asks for it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmDevice.html
func (s *Server) confirmDevice(in *confirmDeviceInput) (any, error) {
	var c constraints
	c.required("accessToken", in.AccessToken, accessTokenShape)
	c.required("deviceKey", in.DeviceKey, deviceKeyShape)
	c.optional("deviceName", in.DeviceName, nameShape)
	if err := c.err(); err != nil {
		return nil, err
	}
	a, p, err := s.authorize(in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := a.usable(); err != nil {
		return nil, err
	}
	d := a.devices[in.DeviceKey]
	if d == nil || p.Devices == nil {
		return nil, invalidParameter("Invalid device key given.")
	}
	d.confirmed, d.name = true, in.DeviceName
	return confirmDeviceOutput{UserConfirmationNecessary: p.Devices.DeviceOnlyRememberedOnUserPrompt}, nil
}
