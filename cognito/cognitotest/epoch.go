package cognitotest

import (
	"strconv"
	"time"
)

// epoch is a time as the protocol writes it: seconds since 1970, with three
// digits after the point.
type epoch time.Time

// MarshalJSON writes the number.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}
