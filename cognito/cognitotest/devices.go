package cognitotest

import "time"

// DeviceConfiguration says how a pool remembers devices, with the names of
// Cognito's API.
type DeviceConfiguration struct {
	// ChallengeRequiredOnNewDevice lets remembered devices sign in without MFA.
	// The stand-in keeps it and asks all the same: it does not know the
	// challenges DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER.
	ChallengeRequiredOnNewDevice bool
	// DeviceOnlyRememberedOnUserPrompt makes ConfirmDevice answer that the user
	// has to be asked.
	DeviceOnlyRememberedOnUserPrompt bool
}

// device is what a user signs in with, where the pool remembers devices.
type device struct {
	key, groupKey, name string
	// confirmed devices were given to ConfirmDevice.
	confirmed bool
	created   time.Time
}

// newDeviceMetadata names a device that the pool had not seen before.
type newDeviceMetadata struct {
	DeviceGroupKey string
	DeviceKey      string
}

// addDevice gives the user one more device. The caller holds s.mu.
func (s *Server) addDevice(p *pool, a *account) *newDeviceMetadata {
	d := &device{key: p.region() + "_" + s.uuid(), groupKey: "-" + s.uuid()[:8], created: s.now()}
	a.devices[d.key] = d
	return &newDeviceMetadata{DeviceGroupKey: d.groupKey, DeviceKey: d.key}
}

// checkDevice says that a device is none of the user's; a sign-in need not name
// one.
func (a *account) checkDevice(key string) error {
	if key != "" && a.devices[key] == nil {
		return notFound("Device does not exist.")
	}
	return nil
}

// comeFrom notes the device that an answer names.
func (to *session) comeFrom(key string) error {
	if key == "" {
		return nil
	}
	if err := to.account.checkDevice(key); err != nil {
		return err
	}
	to.device = key
	return nil
}

// isFrom says whether a refresh token may be used from a device. Where the pool
// remembers devices, that is the one that signed in, once it is confirmed
// (aws-amplify/amplify-js#6283, #7051).
func (g *grant) isFrom(key string) bool {
	if g.device == "" {
		return true
	}
	d := g.account.devices[g.device]
	return key == g.device && d != nil && d.confirmed
}
