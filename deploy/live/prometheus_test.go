package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/test/program"
)

// prometheus is a running Prometheus.
type prometheus struct{ url string }

// hastened is how the rules run here: every `for` is short, nothing else differs.
var hastened = regexp.MustCompile(`(?m)^(\s+for:) .+$`)

// startPrometheus scrapes services by namespace four times a second, with the
// rules of deploy/prometheus, and stops when the test ends. Its clock is the
// machine's: what it has seen by a moment depends on how busy the machine is,
// so every test asks until the answer is there.
func startPrometheus(t *testing.T, targets map[string]string) *prometheus {
	t.Helper()
	binary := program.Find(t, "prometheus")
	dir := t.TempDir()
	rules, err := os.ReadFile("../prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "rules.yaml"), hastened.ReplaceAll(rules, []byte("$1 1s")))
	var services strings.Builder
	for namespace, target := range targets {
		fmt.Fprintf(&services, "      - { targets: [%q], labels: { namespace: %q } }\n", target, namespace)
	}
	write(t, filepath.Join(dir, "prometheus.yaml"), fmt.Appendf(nil, `
global: { scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms }
rule_files: [rules.yaml]
scrape_configs:
  - job_name: mfa-enrollment
    static_configs:
%s`, services.String()))

	//nolint:gosec // The binary is found by name, as a person would.
	cmd := exec.CommandContext(t.Context(), binary,
		"--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The test's context has ended by then, and so interrupted it. Registered
	// after TempDir, this runs before the folder is removed.
	t.Cleanup(func() { _ = cmd.Wait() })
	p := &prometheus{url: "http://" + address(t, output)}
	eventually(t, "Prometheus is ready", func() bool {
		status, _ := p.get(t, "/-/ready", nil)
		return status == http.StatusOK
	})
	return p
}

var listening = regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`)

// address reads from Prometheus's log where it listens, and goes on reading so
// that Prometheus never waits to write.
func address(t *testing.T, log io.Reader) string {
	t.Helper()
	var said bytes.Buffer
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return m[1]
		}
	}
	t.Fatalf("Prometheus did not start:\n%s", said.String())
	return ""
}

// series is one element of a query's answer.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// value is the sample's value as Prometheus writes it, such as "0.5" or "NaN".
func (s series) value() string {
	v, _ := s.Value[1].(string)
	return v
}

// query evaluates an expression now. An expression that does not parse comes
// back as an error.
func (p *prometheus) query(t *testing.T, expression string) ([]series, error) {
	t.Helper()
	_, body := p.get(t, "/api/v1/query", url.Values{"query": {expression}})
	var answer struct {
		Status, Error string
		Data          struct{ Result []series }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s", answer.Error)
	}
	return answer.Data.Result, nil
}

func (p *prometheus) get(t *testing.T, path string, parameters url.Values) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path+"?"+parameters.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// eventually asks until the answer is yes. It gives up only when the test's own
// time is over, so that a slow machine fails nothing.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	deadline, bounded := t.Deadline()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		<-tick.C
		if bounded && time.Until(deadline) < 30*time.Second {
			t.Fatalf("still not: %s", what)
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
