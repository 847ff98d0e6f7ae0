package app

import (
	"net"
	"net/http"
	"testing"
	"time"
)

// knock dials a listener and accepts the connection.
func knock(t *testing.T, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestTheConnectionThatIsIdleForLongestMakesRoom(t *testing.T) {
	t.Parallel()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newConnections(2, 0, nil)
	l := c.on(socket)
	defer func() { _ = l.Close() }()
	_, first := knock(t, l)
	client, second := knock(t, l)
	for _, conn := range []net.Conn{first, second} {
		c.changed(conn, http.StateNew)
		c.changed(conn, http.StateActive)
	}
	c.changed(second, http.StateIdle)
	c.changed(first, http.StateIdle)
	_, third := knock(t, l)
	c.changed(third, http.StateActive)
	_ = client.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the one that was idle for longest sends something")
	}
	if c.all != 2 {
		t.Errorf("%d connections", c.all)
	}

	c.changed(first, http.StateActive) // Now none is idle: the next waits for one that ends.
	accepted := make(chan net.Conn)
	go func() {
		_, conn := knock(t, l)
		accepted <- conn
	}()
	select {
	case <-accepted:
		t.Error("a third connection beside two active ones")
	case <-time.After(50 * time.Millisecond):
	}
	_ = third.Close()
	<-accepted
}
