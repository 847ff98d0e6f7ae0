package app

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections bounds the connections of a listener, in all and of one address. An
// address with too many gets no more. Where there are too many in all, the one
// that has been idle for longest makes room for the next; where none is idle, the
// next waits.
type connections struct {
	net.Listener
	most   int
	each   int // of one address; 0: no bound of its own
	exempt []*net.IPNet

	mu      sync.Mutex
	room    *sync.Cond
	closed  bool
	all     int
	by      map[string]int
	idle    *list.List                 // of *connection, the one that is idle for longest first
	resting map[net.Conn]*list.Element // the idle ones
}

// connection is one of them.
type connection struct {
	net.Conn
	of   *connections
	from string
	once sync.Once
}

func newConnections(most, each int, exempt []*net.IPNet) *connections {
	c := &connections{most: most, each: each, exempt: exempt, by: map[string]int{}, idle: list.New(), resting: map[net.Conn]*list.Element{}}
	c.room = sync.NewCond(&c.mu)
	return c
}

// on gives it the socket.
func (c *connections) on(socket net.Listener) net.Listener {
	c.Listener = socket
	return c
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	for {
		accepted, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		one := &connection{Conn: accepted, of: c, from: c.counted(accepted.RemoteAddr())}
		if c.admit(one) {
			return one, nil
		}
		_ = accepted.Close()
	}
}

// Close implements net.Listener.
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.room.Broadcast()
	return c.Listener.Close()
}

// admit counts a connection, or reports that its address has too many.
func (c *connections) admit(one *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one.from != "" && c.by[one.from] >= c.each {
		return false
	}
	for c.all >= c.most && !c.closed {
		if longest := c.idle.Front(); longest != nil {
			c.evict(longest)
			continue
		}
		c.room.Wait()
	}
	c.all++
	if one.from != "" {
		c.by[one.from]++
	}
	return !c.closed
}

// evict closes an idle connection. The caller holds c.mu.
func (c *connections) evict(longest *list.Element) {
	one := longest.Value.(*connection)
	c.mu.Unlock()
	_ = one.Close()
	c.mu.Lock()
}

// changed is http.Server.ConnState: it keeps the list of idle connections.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	one, ok := conn.(*connection)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest(one, state == http.StateNew || state == http.StateIdle)
	c.room.Signal()
}

// rest enters whether a connection is idle. The caller holds c.mu.
func (c *connections) rest(one *connection, idle bool) {
	if at, listed := c.resting[one]; listed {
		c.idle.Remove(at)
		delete(c.resting, one)
	}
	if idle {
		c.resting[one] = c.idle.PushBack(one)
	}
}

// Close implements net.Conn.
func (one *connection) Close() error {
	one.once.Do(func() {
		c := one.of
		c.mu.Lock()
		defer c.mu.Unlock()
		c.rest(one, false)
		c.all--
		if one.from != "" {
			if c.by[one.from]--; c.by[one.from] == 0 {
				delete(c.by, one.from)
			}
		}
		c.room.Signal()
	})
	return one.Conn.Close()
}

// counted names what a connection counts for: its address, in IPv6 the /64. It is
// empty for trusted proxies, which carry many people, and where nothing is
// counted.
func (c *connections) counted(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || c.each == 0 {
		return ""
	}
	for _, n := range c.exempt {
		if n.Contains(tcp.IP) {
			return ""
		}
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}
