package pending

import (
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

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink/redistest"
)

// expectSharing lets two replicas do all that stores do together.
func expectSharing(t *testing.T, r *rig, url enroll.Secret) {
	t.Helper()
	a, b := newRedis(t, r, url), newRedis(t, r, url)
	p := r.enrollment("one", "two", "three")
	a.Save(t.Context(), p)
	for _, key := range p.Keys {
		expectFound(t, b, key, p)
	}
	a.CountTry(t.Context(), "one", time.Hour)
	if n, _ := b.CountTry(t.Context(), "one", time.Hour); n != 2 {
		t.Errorf("the second try is number %d", n)
	}
	expectOneCreation(t, r, a, b)
	b.Delete(t.Context(), p)
	for _, key := range p.Keys {
		expectAbsent(t, a, key)
	}
	r.expectFailures(t, map[string]int{})
	if r.logged() != "" {
		t.Errorf("it logs %s", r.logged())
	}
}

func TestSharingByACluster(t *testing.T) {
	server, port := redistest.StartOnPort(t, func(port string) []string {
		return []string{"--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t)}
	})
	if err := server.Admin.Do(t.Context(), "cluster", "addslotsrange", "0", "16383").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster was up", func() bool {
		return strings.Contains(server.Admin.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	server.User(documentedRights(t, "a cluster"))
	user := "redis://mfa-enrollment:" + aclPassword + "@127.0.0.1:" + port
	for name, options := range map[string]string{
		"by one endpoint":  "?cluster=true&",
		"by two addresses": "?addr=127.0.0.1:" + port + "&",
	} {
		t.Run(name, func(t *testing.T) {
			server.Admin.FlushAll(t.Context())
			expectSharing(t, newRig(), enroll.Secret(user+options+redistest.Patient))
		})
	}
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
}

func TestSharingBySentinel(t *testing.T) {
	server, masterPort := redistest.StartOnPort(t, func(port string) []string {
		return []string{"--port", port, "--bind", "127.0.0.1"}
	})
	server.User(documentedRights(t, "one server"))
	conf := filepath.Join(server.Dir, "sentinel.conf")
	sentinel, sentinelPort := redistest.StartOnPort(t, func(port string) []string {
		// Sentinel takes the name of a master to watch from a file alone, and
		// writes to it.
		text := "bind 127.0.0.1\nsentinel monitor mfa 127.0.0.1 " + masterPort + " 1\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{conf, "--port", port, "--sentinel"}
	})
	sentinel.User(documentedRights(t, "Sentinel"))
	expectSharing(t, newRig(), enroll.Secret("redis://mfa-enrollment:"+aclPassword+"@127.0.0.1:"+sentinelPort+
		"?master_name=mfa&username=mfa-enrollment&password="+aclPassword+"&"+redistest.Patient))
	for name, s := range map[string]*redistest.Server{"server": server, "Sentinel": sentinel} {
		if denied := s.Denied(); len(denied) > 0 {
			t.Errorf("%s denied: %v", name, denied)
		}
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certificate, key := selfSigned(t, dir)
	server, port := redistest.StartOnPort(t, func(port string) []string {
		return []string{
			"--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
			"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate,
		}
	})
	server.User(documentedRights(t, "one server"))
	url := "rediss://mfa-enrollment:" + aclPassword + "@127.0.0.1:" + port + "?" + redistest.Patient

	t.Run("a certificate that is not trusted is not talked to", func(t *testing.T) {
		r := newRig()
		l := newLink(t, r, enroll.Secret(url))
		s := newRedisWith(t, l, r.options(sealKey(1)))
		p := r.enrollment("key")
		s.Save(t.Context(), p)
		expectFound(t, s, "key", p)
		if len(l.Notes()) != 1 {
			t.Errorf("the notes are %q", l.Notes())
		}
		if !strings.Contains(r.logged(), "its certificate is not trusted") || strings.Contains(r.logged(), "127.0.0.1") {
			t.Errorf("it logs %s", r.logged())
		}
		if found := server.Values(); len(found) > 0 {
			t.Errorf("%d entries were sent all the same", len(found))
		}
	})
	t.Run("an encrypted connection carries everything", func(t *testing.T) {
		expectSharing(t, newRig(), enroll.Secret(url+"&skip_verify=true"))
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
