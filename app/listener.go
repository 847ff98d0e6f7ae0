package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// maxHeaders bounds what is read of a request's headers. It is far more than
// handlers lets through, so that a header that is too long, such as a token of
// 100 KB, gets a problem that says so; net/http cuts off what is longer still.
const maxHeaders = 128 << 10

const (
	// maxStreams bounds the requests that one HTTP/2 connection makes at once. A
	// page makes two or three; a proxy opens another connection.
	maxStreams = 32
	// maxBuffered bounds what is buffered of the bodies of one HTTP/2 connection,
	// in bytes. It is the least that RFC 9113 §6.9.2 allows.
	maxBuffered = 64<<10 - 1
)

// listener is an HTTP server with its socket.
type listener struct {
	name        string // of the variable that holds its address
	server      *http.Server
	connections *connections
	socket      net.Listener
	address     atomic.Value // of the socket, a string; nothing until it is open
}

func newListener(name string, h http.Handler, logger *slog.Logger, c *connections) *listener {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &listener{
		name:        name,
		connections: c,
		server: &http.Server{
			Handler:           h,
			Protocols:         protocols,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      requestTimeout + 10*time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    maxHeaders,
			ConnState:         c.changed,
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxBuffered, MaxReceiveBufferPerStream: maxBuffered},
			// net/http would answer OPTIONS * by itself, without our headers.
			DisableGeneralOptionsHandler: true,
			ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		},
	}
}

// secure makes the listener speak TLS. The files are read now, so that a fault
// in them is told at the start; no files leave it plain.
func (l *listener) secure(certFile, keyFile string) error {
	if certFile == "" {
		return nil
	}
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.current(); err != nil {
		return fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	l.server.Protocols.SetUnencryptedHTTP2(false)
	l.server.Protocols.SetHTTP2(true)
	l.server.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() },
	}
	return nil
}

// open takes the address; connections wait until serve.
func (l *listener) open(ctx context.Context, addr string) error {
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	l.socket = socket
	l.address.Store(socket.Addr().String())
	return nil
}

// serve answers until shutdown, or tells why it cannot.
func (l *listener) serve() error {
	limited := l.connections.on(l.socket)
	var err error
	if l.server.TLSConfig != nil {
		err = l.server.ServeTLS(limited, "", "")
	} else {
		err = l.server.Serve(limited)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", l.name, err)
}

// shutdown takes no new connections, lets the requests in flight finish while
// ctx lasts, and gives the address back.
func (l *listener) shutdown(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, l.server.Close())
	}
	_ = l.socket.Close() // The server does not know it before serve.
	return err
}

// addr is where it listens, or empty before open.
func (l *listener) addr() string {
	addr, _ := l.address.Load().(string)
	return addr
}
