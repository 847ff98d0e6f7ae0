package cognitotest

type confirmDeviceInput struct {
	AccessToken                string `shape:"TokenModelType,required"`
	DeviceKey                  string `shape:"DeviceKeyType,required"`
	DeviceName                 string `shape:"DeviceNameType"`
	DeviceSecretVerifierConfig *struct{ PasswordVerifier, Salt string }
}

type confirmDeviceOutput struct {
	UserConfirmationNecessary bool
}

// confirmDevice makes a device remembered. The password that the device has from
// here on is not kept, since nothing asks for it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmDevice.html
func (s *Server) confirmDevice(in *confirmDeviceInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	d := a.devices[in.DeviceKey]
	if d == nil || p.Devices == nil {
		return nil, invalidParameter("Invalid device key given.")
	}
	d.confirmed, d.name = true, in.DeviceName
	return confirmDeviceOutput{UserConfirmationNecessary: p.Devices.DeviceOnlyRememberedOnUserPrompt}, nil
}
