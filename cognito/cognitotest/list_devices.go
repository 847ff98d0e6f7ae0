package cognitotest

import (
	"cmp"
	"maps"
	"slices"
)

type listDevicesInput struct {
	AccessToken string `shape:"TokenModelType,required"`
	Limit       int    `shape:"QueryLimitType"`
	// PaginationToken is the last key of the page before.
	PaginationToken string `shape:"SearchPaginationTokenType"`
}

type listDevicesOutput struct {
	Devices         []deviceOutput
	PaginationToken string `json:",omitempty"`
}

// pageOfDevices is as many as a page holds at most, and without a Limit.
const pageOfDevices = 60

// deviceOutput is a device as the API gives it.
type deviceOutput struct {
	DeviceAttributes            []attribute
	DeviceCreateDate            epoch
	DeviceKey                   string
	DeviceLastAuthenticatedDate epoch
	DeviceLastModifiedDate      epoch
}

// listDevices lists the user's confirmed devices, by pages:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListDevices.html
func (s *Server) listDevices(in *listDevicesInput) (any, error) {
	a, _, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	out := listDevicesOutput{Devices: []deviceOutput{}}
	for _, key := range slices.Sorted(maps.Keys(a.devices)) {
		d := a.devices[key]
		if !d.confirmed || key <= in.PaginationToken {
			continue
		}
		if n := len(out.Devices); n == cmp.Or(in.Limit, pageOfDevices) {
			out.PaginationToken = out.Devices[n-1].DeviceKey
			break
		}
		out.Devices = append(out.Devices, deviceOutput{
			DeviceAttributes:            []attribute{{Name: "device_name", Value: d.name}},
			DeviceCreateDate:            epoch(d.created),
			DeviceKey:                   d.key,
			DeviceLastAuthenticatedDate: epoch(d.created),
			DeviceLastModifiedDate:      epoch(d.created),
		})
	}
	return out, nil
}
