package cognitotest

import (
	"maps"
	"slices"
)

type listDevicesInput struct {
	AccessToken string `shape:"TokenModelType,required"`
	Limit       int    `shape:"QueryLimitType"`
}

// deviceOutput is a device as the API gives it.
type deviceOutput struct {
	DeviceAttributes            []attribute
	DeviceCreateDate            epoch
	DeviceKey                   string
	DeviceLastAuthenticatedDate epoch
	DeviceLastModifiedDate      epoch
}

// listDevices lists the user's confirmed devices, all at once:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListDevices.html
func (s *Server) listDevices(in *listDevicesInput) (any, error) {
	a, _, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	devices := []deviceOutput{}
	for _, key := range slices.Sorted(maps.Keys(a.devices)) {
		d := a.devices[key]
		if !d.confirmed {
			continue
		}
		devices = append(devices, deviceOutput{
			DeviceAttributes:            []attribute{{Name: "device_name", Value: d.name}},
			DeviceCreateDate:            epoch(d.created),
			DeviceKey:                   d.key,
			DeviceLastAuthenticatedDate: epoch(d.created),
			DeviceLastModifiedDate:      epoch(d.created),
		})
	}
	return map[string]any{"Devices": devices}, nil
}
