package cognitotest

import (
	"errors"
	"fmt"
	"net"
)

// ListenAnywhere listens on an address that may be reached from elsewhere, such as
// one in a container. Whoever reaches it can have tokens of its users.
func ListenAnywhere(addr string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	return net.ListenTCP("tcp", resolved)
}

// Loopback says what is wrong with an address that a network can reach, or that is
// none. One without a host is every address of the machine.
func Loopback(addr string) error {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err == nil && !resolved.IP.IsLoopback() {
		err = errNotLoopback
	}
	if err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	return nil
}

// Listen listens on a loopback address such as 127.0.0.1:9229, and on nothing
// else: whoever reaches a stand-in can have tokens of its users. The error names
// the address and what it should be.
func Listen(addr string) (net.Listener, error) {
	if err := Loopback(addr); err != nil {
		return nil, err
	}
	return net.Listen("tcp", addr) //nolint:noctx // It does not wait.
}

var errNotLoopback = errors.New("want a loopback address such as 127.0.0.1:9229, since the stand-in must not face a network")
