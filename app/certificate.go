package app

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificate is read from its files again when they have changed, so that a
// renewal needs no restart.
type certificate struct {
	certFile, keyFile string

	mu       sync.Mutex
	modified time.Time // of the newer file, when it was read
	loaded   *tls.Certificate
}

// current is the certificate as the files hold it. A renewal that cannot be
// read, or is half written, leaves the old one in use.
func (c *certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	modified := newer(c.certFile, c.keyFile)
	if c.loaded != nil && modified.Equal(c.modified) {
		return c.loaded, nil
	}
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		if c.loaded != nil {
			return c.loaded, nil
		}
		return nil, err
	}
	c.loaded, c.modified = &loaded, modified
	return c.loaded, nil
}

// newer is when the file that changed last did so; zero where one is missing.
func newer(paths ...string) time.Time {
	var last time.Time
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}
