package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"mfa-enrollment/app"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/world"
)

// from dials from one of this machine's addresses, as another client would.
func from(t *testing.T, address, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: time.Minute}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// served tells how long a request takes on a connection, or why it is not answered.
func served(c net.Conn, patience time.Duration) (took time.Duration, err error) {
	begin := time.Now()
	_ = c.SetDeadline(begin.Add(patience))
	if _, err = c.Write([]byte("GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n")); err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	_ = c.SetDeadline(time.Time{})
	return time.Since(begin), err
}

// soon is how long a client waits at most whom others do not hold up, on a slow
// machine too: beside three busy processes it was 5 s. A stalled body would hold them
// up until it is cut, after ten seconds.
const soon = 8 * time.Second

// idleConnections opens n connections that ask for nothing.
func idleConnections(t *testing.T, address, to string, n int) {
	t.Helper()
	for range n {
		from(t, address, to)
	}
}

// stalledStreams opens n HTTP/2 streams on each of some connections, whose bodies
// never come.
func stalledStreams(t *testing.T, address, to string, connections, n int) {
	t.Helper()
	for range connections {
		c := from(t, address, to)
		_, _ = c.Write([]byte(http2.ClientPreface))
		f := http2.NewFramer(c, c)
		_ = f.WriteSettings()
		go func() {
			for {
				if _, err := f.ReadFrame(); err != nil {
					return
				}
			}
		}()
		var header bytes.Buffer
		e := hpack.NewEncoder(&header)
		for _, h := range [][2]string{
			{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/v1/mfa/totp/verify"}, {"content-type", "application/json"},
		} {
			_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		for i := range n {
			if f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: header.Bytes(), EndHeaders: true}) != nil { //nolint:gosec // A few hundred.
				break // The service closed a connection with too many.
			}
		}
	}
}

func TestOneAddressHasAShareOfTheConnectionsUnlessItIsATrustedProxy(t *testing.T) {
	for trusted, most := range map[string]int{"10.0.0.0/8": 16, "127.0.0.0/8": 40} {
		t.Run(trusted, func(t *testing.T) {
			w := world.New(t, map[string]string{"MAX_CONNECTIONS": "100", "TRUSTED_PROXIES": trusted})
			open := 0
			for range 40 {
				if _, err := served(from(t, "127.0.0.2", w.App.Addr()), time.Minute); err == nil {
					open++
				}
			}
			if open != most {
				t.Errorf("%d of 40 connections are open, want %d", open, most)
			}
			if _, err := served(from(t, "127.0.0.3", w.App.Addr()), time.Minute); err != nil {
				t.Errorf("another address: %v", err)
			}
		})
	}
}

func TestStalledRequestsOfOneAddressKeepNobodyElseOut(t *testing.T) {
	w := world.New(t, nil)
	stalledStreams(t, "127.0.0.2", w.App.Addr(), 20, 30) // Twice what one address may have in flight.
	busy := func() float64 {
		n, _ := strconv.ParseFloat(w.Metric(`http_problems_total{code="busy"}`), 64)
		return n
	}
	for begin := time.Now(); busy() < 200; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("%v requests were refused, of 600 where one address may have 300", busy())
		}
	}
	if took, err := served(from(t, "127.0.0.3", w.App.Addr()), time.Minute); err != nil || took > soon {
		t.Errorf("another client: %v, %v", took, err)
	}
}

// boundsChild asks for the child of the next test.
const boundsChild = "BOUNDS_TEST_CHILD"

// TestServeForTheBounds is the service in a process of its own.
func TestServeForTheBounds(t *testing.T) {
	if os.Getenv(boundsChild) == "" {
		t.Skip("a process of TestMemoryIsBounded")
	}
	env := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "COGNITO_ENDPOINT": "http://127.0.0.1:1", "COGNITO_USER_POOL_IDS": "us-east-1_A",
		"COGNITO_CLIENT_IDS": "a", "TOTP_ISSUER": "A",
	}
	app.Run(t.Context(), world.Environ(env), os.Stdout, os.Stderr)
}

// The first version took 490 MB for 40 connections of 250 stalled streams, and
// 229 MB for 10,000 idle ones; everybody else waited 15 s. Where the machine is busy,
// streams that are refused pile up before their refusals are sent, and Go's runtime
// holds the whole at GOMEMLIMIT: 220 MiB, of a container of 256.
func TestMemoryIsBounded(t *testing.T) {
	size := long.Or(1_000, 10_000)
	const idle, stalled = 200 << 10, 256 << 10 // kB
	for name, attack := range map[string]func(t *testing.T, addr string){
		"idle connections of one address": func(t *testing.T, addr string) { idleConnections(t, "127.0.0.2", addr, size) },
		"idle connections of 40 addresses": func(t *testing.T, addr string) {
			for i := range 40 {
				idleConnections(t, fmt.Sprintf("127.0.1.%d", i+1), addr, size/40)
			}
		},
		"streams of one address, more than a connection may have": func(t *testing.T, addr string) { stalledStreams(t, "127.0.0.2", addr, size/250, 250) },
		"streams of 10 addresses": func(t *testing.T, addr string) {
			for i := range 10 {
				stalledStreams(t, fmt.Sprintf("127.0.1.%d", i+1), addr, size/250, 25)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr, pid := runChild(t)
			attack(t, addr)
			took, err := served(from(t, "127.0.0.3", addr), time.Minute)
			if err != nil || took > soon {
				t.Errorf("another client: %v, %v", took, err)
			}
			hwm := peakRSS(t, pid)
			t.Logf("%d: peak RSS %d MiB, another client was served in %v", size, hwm>>10, took)
			peak := stalled
			if strings.HasPrefix(name, "idle") {
				peak = idle
			}
			if hwm > peak {
				t.Errorf("peak RSS %d MiB", hwm>>10)
			}
		})
	}
}

// runChild runs the service in a process of its own until the test ends. The event
// of its start tells the address.
func runChild(t *testing.T) (addr string, pid int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestServeForTheBounds$")
	c.Env = append(os.Environ(), boundsChild+"=1", "GOMEMLIMIT=230MiB")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = c.Wait() })
	log := bufio.NewScanner(out)
	for log.Scan() {
		var event struct{ Msg, Addr string }
		if json.Unmarshal(log.Bytes(), &event) == nil && event.Msg == "started" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return event.Addr, c.Process.Pid
		}
	}
	t.Fatalf("the service does not start: %v", log.Err())
	return "", 0
}

// peakRSS is the most memory that a process ever had resident, in kB (proc(5)).
func peakRSS(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("the operating system tells no peak RSS")
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "VmHWM:" {
			kB, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return kB
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
