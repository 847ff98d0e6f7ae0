package redistest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// Gate is a way to a Redis that can be cut for those who take it.
type Gate struct {
	listener net.Listener
	socket   string
	mu       sync.Mutex
	cut      bool
	conns    map[net.Conn]bool
	delay    time.Duration
}

// NewGate opens a gate to a socket; to "" it takes connections and never answers.
func NewGate(t testing.TB, socket string) *Gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{listener: l, socket: socket, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.Shut(true)
		serving.Wait()
	})
	return g
}

func (g *Gate) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	if !g.hold(c) {
		return
	}
	if g.socket == "" {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	to, err := net.Dial("unix", g.socket)
	if err != nil || !g.hold(to) {
		return
	}
	defer func() { _ = to.Close() }()
	go func() {
		g.pass(to, c)
		_ = to.Close()
	}()
	_, _ = io.Copy(c, to)
}

// pass copies what is sent, each piece after the delay that holds when it comes.
func (g *Gate) pass(to io.Writer, from io.Reader) {
	type piece struct {
		due  time.Time
		sent []byte
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer close(pieces)
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			g.mu.Lock()
			due := time.Now().Add(g.delay)
			g.mu.Unlock()
			if n > 0 {
				pieces <- piece{due, bytes.Clone(buffer[:n])}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write(p.sent)
	}
}

// Delay makes every round trip so much longer from now on.
func (g *Gate) Delay(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
}

func (g *Gate) hold(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = true
	return !g.cut
}

// Shut cuts every connection and closes each new one at once, or opens the gate
// again.
func (g *Gate) Shut(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = cut
	if cut {
		for c := range g.conns {
			_ = c.Close()
		}
		clear(g.conns)
	}
}

// Addr is where the gate listens.
func (g *Gate) Addr() string { return g.listener.Addr().String() }

// URL is the way through the gate.
func (g *Gate) URL() enroll.Secret {
	return enroll.Secret("redis://" + g.listener.Addr().String() + "?" + Patient)
}
