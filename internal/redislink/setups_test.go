package redislink

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/redislink/redistest"
)

// expectSharing lets two replicas share by what they use: a script, and what it
// writes.
func expectSharing(t *testing.T, url string) {
	t.Helper()
	linkA, w := open(t, url, time.Hour)
	linkB, _ := open(t, url, time.Hour)
	one, other := linkA.Subsystem(Pending), linkB.Subsystem(Pending)
	script := redis.NewScript(`redis.call("set", KEYS[1], ARGV[1], "px", 60000) return redis.call("get", KEYS[1])`)
	for _, s := range []*Subsystem{one, other} {
		if !s.Do(t.Context(), "run", func(ctx context.Context, c redis.UniversalClient) error {
			return script.Run(ctx, c, []string{s.Key("x")}, "y").Err()
		}) {
			t.Errorf("a script was not run: %s", w.logged())
		}
	}
	read := redis.NewScript(`return redis.call("get", KEYS[1])`)
	found := ""
	one.Do(t.Context(), "write", write(one))
	other.Do(t.Context(), "read", func(ctx context.Context, c redis.UniversalClient) (err error) {
		found, err = read.Run(ctx, c, []string{other.Key("x")}).Text()
		return err
	})
	if found != "y" || w.logged() != "" {
		t.Errorf("the other replica finds %q; the log: %s", found, w.logged())
	}
}

func expectNoneDenied(t *testing.T, name string, s *redistest.Server) {
	t.Helper()
	if denied := s.Denied(); len(denied) > 0 {
		t.Errorf("%s denied: %v", name, denied)
	}
}

func TestTheDocumentedRightsAreEnoughForACluster(t *testing.T) {
	server, port := redistest.StartOnPort(t, func(port string) []string {
		return []string{"--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t)}
	})
	if err := server.Admin.Do(t.Context(), "cluster", "addslotsrange", "0", "16383").Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(server.Admin.ClusterInfo(t.Context()).Val(), "cluster_state:ok"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cluster is never up")
		}
	}
	server.User(redistest.Rights(t, "a cluster", aclPassword))
	user := "redis://mfa-enrollment:" + aclPassword + "@127.0.0.1:" + port
	for name, options := range map[string]string{
		"by one endpoint":  "?cluster=true&",
		"by two addresses": "?addr=127.0.0.1:" + port + "&",
	} {
		t.Run(name, func(t *testing.T) { expectSharing(t, user+options+redistest.Patient) })
	}
	expectNoneDenied(t, "the cluster", server)
}

func TestTheDocumentedRightsAreEnoughForSentinel(t *testing.T) {
	s := redistest.StartSentinels(t)
	s.Master.User(redistest.Rights(t, "one server", aclPassword))
	for _, w := range s.Watching {
		w.User(redistest.Rights(t, "Sentinel", aclPassword))
	}
	url := strings.Replace(s.URL("username=mfa-enrollment&password="+aclPassword+"&"+redistest.Patient).Reveal(),
		"redis://", "redis://mfa-enrollment:"+aclPassword+"@", 1)
	expectSharing(t, url)
	expectNoneDenied(t, "the master", s.Master)
	for _, w := range s.Watching {
		expectNoneDenied(t, "a Sentinel", w)
	}
}

func TestTLS(t *testing.T) {
	certificate, key := selfSigned(t, t.TempDir())
	server, port := redistest.StartOnPort(t, func(port string) []string {
		return []string{
			"--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
			"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate,
		}
	})
	server.User(redistest.Rights(t, "one server", aclPassword))
	url := "rediss://mfa-enrollment:" + aclPassword + "@127.0.0.1:" + port + "?" + redistest.Patient

	t.Run("a certificate that is not trusted is not talked to", func(t *testing.T) {
		l, w := open(t, url, time.Hour)
		if s := l.Subsystem(Pending); s.Do(t.Context(), "write", write(s)) || len(server.Values()) > 0 {
			t.Error("it was written all the same")
		}
		if !strings.Contains(w.logged(), "its certificate is not trusted") || strings.Contains(w.logged(), "127.0.0.1") {
			t.Errorf("it logs %s", w.logged())
		}
	})
	t.Run("an encrypted connection carries everything", func(t *testing.T) {
		expectSharing(t, url+"&skip_verify=true")
		expectNoneDenied(t, "the server", server)
	})
}

// selfSigned writes a certificate that nobody trusts, and its key.
func selfSigned(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", encoded)
}
