package app_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/test/world"
)

// writeCertificate makes a certificate for loopback with a serial number.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64, modified, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}

// certificateFiles makes a certificate that is good until ends.
func certificateFiles(t *testing.T, ends time.Time) (certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1, time.Now(), ends)
	return certFile, keyFile
}

func TestTLSIs13AndARenewedCertificateIsTakenWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1, time.Unix(1_700_000_000, 0), time.Now().Add(time.Hour))
	w := world.New(t, map[string]string{"TLS_CERT_FILE": certFile, "TLS_KEY_FILE": keyFile})
	dial := func(max uint16) (*tls.Conn, error) {
		return tls.Dial("tcp", w.App.Addr(), &tls.Config{InsecureSkipVerify: true, MaxVersion: max, NextProtos: []string{"h2"}})
	}
	serial := func() int64 {
		c, err := dial(0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if s := c.ConnectionState(); s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != "h2" {
			t.Errorf("version %x, protocol %q", s.Version, s.NegotiatedProtocol)
		}
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	writeCertificate(t, certFile, keyFile, 2, time.Unix(1_700_000_100, 0), time.Now().Add(time.Hour))
	if got := serial(); got != 2 {
		t.Errorf("after the renewal: serial %d", got)
	}
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("with a broken file: serial %d", got)
	}
	if _, err := dial(tls.VersionTLS12); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
}

func TestAFaultInTheCertificateIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	var out, errs world.Buffer
	env := map[string]string{
		"COGNITO_USER_POOL_IDS": "us-east-1_A", "COGNITO_CLIENT_IDS": "a", "TOTP_ISSUER": "A", "ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0",
		"TLS_CERT_FILE": "/nonexistent/cert.pem", "TLS_KEY_FILE": "/nonexistent/key.pem",
	}
	if status := app.Run(t.Context(), world.Environ(env), &out, &errs); status != 2 || !strings.Contains(errs.String(), "TLS_CERT_FILE") {
		t.Errorf("status %d: %s", status, errs.String())
	}
}

func TestPlainHTTP2IsSpoken(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(w.URL + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		t.Errorf("%s %d", response.Proto, response.StatusCode)
	}
}

func TestHealthcheckAndVersion(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	run := func(addr string, args ...string) (int, string) {
		var out bytes.Buffer
		env := map[string]string{"ADMIN_ADDR": addr}
		return app.Main(t.Context(), append([]string{"api"}, args...), world.Environ(env), &out, &out), out.String()
	}
	if status, out := run(w.App.AdminAddr(), "healthcheck"); status != 0 || out != "" {
		t.Errorf("alive: %d %s", status, out)
	}
	_, port, _ := net.SplitHostPort(w.App.AdminAddr())
	if status, out := run("0.0.0.0:"+port, "healthcheck"); status != 0 {
		t.Errorf("alive on all addresses: %d %s", status, out)
	}
	file := filepath.Join(t.TempDir(), "admin-addr")
	if err := os.WriteFile(file, []byte(w.App.AdminAddr()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := app.Main(t.Context(), []string{"api", "healthcheck"}, []string{"ADMIN_ADDR_FILE=" + file}, &out, &out); status != 0 {
		t.Errorf("alive at the address in a file: %d %s", status, out.String())
	}
	w.Stop()
	if status, out := run(w.App.AdminAddr(), "healthcheck"); status != 1 || out == "" {
		t.Errorf("dead: %d %s", status, out)
	}
	if status, out := run("", "version"); status != 0 || !strings.HasPrefix(out, "mfa-enrollment ") {
		t.Errorf("version: %d %s", status, out)
	}
	if status, _ := run("", "dance"); status != 2 {
		t.Errorf("an unknown command: %d", status)
	}
}

func TestTheLogLevelChangesWhileRunningAndProfilesAreOffUnlessSwitchedOn(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	put := func(body string) world.Reply { return w.Send("PUT", w.Admin+"/loglevel", strings.NewReader(body)) }
	if r := put("warn\n"); r.Status != 200 || string(r.Body) != "WARN\n" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := put("LOUD"); r.Status != 400 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := w.Send("PUT", w.URL+"/loglevel", strings.NewReader("DEBUG")); r.Status != 404 {
		t.Errorf("the public address changes the level: %d", r.Status)
	}
	if r := w.Send("GET", w.Admin+"/debug/pprof/", nil); r.Status != 404 {
		t.Errorf("profiles are served: %d", r.Status)
	}
	on := world.New(t, map[string]string{"PROFILING": "true"})
	if r := on.Send("GET", on.Admin+"/debug/pprof/heap", nil); r.Status != 200 {
		t.Errorf("profiles are not served: %d", r.Status)
	}
}
