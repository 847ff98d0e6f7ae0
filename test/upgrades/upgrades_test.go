// Package upgrades runs the service of an earlier commit beside this one, on one
// Redis, as a rolling update does.
package upgrades

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/world"
)

const (
	people = 40
	// versioned is a commit whose entries are in the format of this one's.
	versioned = "78cda2b"
)

// The earlier ones: until there is a release, a commit whose entries this one reads;
// and one that panicked on entries of a later one.
func TestAnEarlierReplicaBesideThisOneLosesNobody(t *testing.T) {
	long.Only(t, "builds the service of other commits")
	current := build(t, "")
	for name, commit := range map[string]string{"in the same format": versioned, "before there were versions": "9a48649"} {
		t.Run(name, func(t *testing.T) {
			earlier := build(t, commit)
			o := world.Crowd(people)
			o.Now = time.Now
			w := world.Prepare(t, o)
			settings := world.StartRedis(t).Settings()
			replicas := []*replica{run(t, w, earlier, settings), run(t, w, current, settings)}
			lost, differing, again := 0, 0, 0
			for i := range people {
				token := w.Token(world.Optional, world.OptionalClient, world.Person(i))
				// Begun at one, reloaded at the other, finished at either.
				first := replicas[i%2].begin(t, token, "{}")
				second := replicas[(i+1)%2].begin(t, token, "{}")
				if first != second {
					differing++
				}
				at := replicas[i/2%2]
				if at.verify(t, token, second) {
					continue
				}
				// That one knows its own QR code alone, and the person begins again.
				again++
				if !at.verify(t, token, at.begin(t, token, `{"renew":true}`)) {
					lost++
				}
			}
			t.Logf("%s beside this one: %d of %d lost, %d saw differing QR codes, %d began again", commit, lost, people, differing, again)
			if lost > 0 {
				t.Errorf("%d of %d were lost", lost, people)
			}
			if commit == versioned && differing+again > 0 {
				t.Errorf("%d saw differing QR codes, %d began again: the two do not share", differing, again)
			}
			if metrics := replicas[1].get(t, "/metrics"); !strings.Contains(metrics, "\nhttp_panics_total 0\n") {
				t.Error("this one panicked")
			}
		})
	}
}

// build makes the service of a commit, or of this tree.
func build(t *testing.T, commit string) (binary string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	source := root
	if commit != "" {
		source = t.TempDir()
		archive := exec.CommandContext(t.Context(), "git", "-C", root, "archive", "--output", filepath.Join(source, "source.tar"), commit)
		if out, err := archive.CombinedOutput(); err != nil {
			t.Skip("the commit " + commit + " is not in this clone: " + string(out))
		}
		command(t, source, "tar", "-xf", "source.tar")
	}
	binary = filepath.Join(t.TempDir(), "api")
	command(t, source, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "grpcnotrace", "-o", binary, "./cmd/api")
	return binary
}

func command(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// replica is a process of the service.
type replica struct{ url, admin string }

// run starts a replica and waits until it is ready. It finds its addresses in its
// log.
func run(t *testing.T, w *world.World, binary string, settings map[string]string) *replica {
	t.Helper()
	env := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "COGNITO_ENDPOINT": w.Endpoint,
		"COGNITO_USER_POOL_IDS": world.Optional, "COGNITO_CLIENT_IDS": world.OptionalClient,
		"TOTP_ISSUER": "Example", "ACCOUNT_LABEL": "username", "COGNITO_WRITE_RPS": "1000",
	}
	for name, value := range settings {
		env[name] = value
	}
	var log world.Buffer
	process := exec.Command(binary) //nolint:gosec // It was built here.
	process.Env, process.Stdout, process.Stderr = world.Environ(env), &log, &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	r := &replica{}
	w.Await("ready", func() bool {
		for line := range strings.Lines(log.String()) {
			var started struct{ Msg, Addr, AdminAddr string }
			if json.Unmarshal([]byte(line), &started) == nil && started.Msg == "started" {
				r.url, r.admin = "http://"+started.Addr, "http://"+started.AdminAddr
			}
		}
		if r.admin == "" {
			return false
		}
		answer, err := http.Get(r.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return r
}

func (r *replica) begin(t *testing.T, token, body string) (secret string) {
	t.Helper()
	status, reply := r.post(t, "/v1/mfa/totp", token, body)
	var enrollment struct{ Secret string }
	if err := json.Unmarshal(reply, &enrollment); err != nil || status/100 != 2 {
		t.Fatalf("start: %d %s", status, reply)
	}
	return enrollment.Secret
}

// verify tries to finish with the code that an app with this secret shows.
func (r *replica) verify(t *testing.T, token, secret string) bool {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	status, reply := r.post(t, "/v1/mfa/totp/verify", token, `{"code":"`+code+`"}`)
	if status != http.StatusOK && status != http.StatusUnprocessableEntity && status != http.StatusConflict {
		t.Errorf("verify: %d %s", status, reply)
	}
	return status == http.StatusOK
}

func (r *replica) post(t *testing.T, path, token, body string) (status int, reply []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	return do(t, request)
}

func (r *replica) get(t *testing.T, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := do(t, request)
	return fmt.Sprintf("%d\n%s", status, body)
}

func do(t *testing.T, request *http.Request) (int, []byte) {
	t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}
