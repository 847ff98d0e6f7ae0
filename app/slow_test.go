package app

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections have the clock of a synctest bubble.
type pipes struct {
	arrive chan net.Conn
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, open := <-p.arrive; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.arrive) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// piped is a connection that comes from somewhere.
type piped struct{ net.Conn }

func (piped) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 1} }

// A client that never ends its headers, or its body, is cut after some seconds,
// so that it holds no connection for longer.
func TestASlowClientIsCut(t *testing.T) {
	for name, test := range map[string]struct {
		beginning string
		after     time.Duration
	}{
		"nothing":          {"", 5 * time.Second},
		"half the headers": {"POST /v1/mfa/totp HTTP/1.1\r\nHost: a\r\nX-Slow: ", 5 * time.Second},
		"half the body":    {"POST /v1/mfa/totp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reads := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
				l := newListener("ADDR", reads, slog.New(slog.DiscardHandler), newConnections(10, 10, nil))
				socket := &pipes{arrive: make(chan net.Conn)}
				l.socket = socket
				served := make(chan error)
				go func() { served <- l.serve() }()
				client, server := net.Pipe()
				begin := time.Now()
				socket.arrive <- piped{server}
				go func() { _, _ = io.WriteString(client, test.beginning) }()
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Error(err)
				}
				// A server that has answered lets half a second pass before it hangs up.
				if took := time.Since(begin); took < test.after || took > test.after+time.Second {
					t.Errorf("it was cut after %v, want %v", took, test.after)
				}
				if err := l.shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
