package deploytest

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// promtool runs promtool in deploy/prometheus.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	binary, err := exec.LookPath("promtool")
	if err != nil {
		missing(t, "promtool is not installed (apt-get install prometheus)")
	}
	cmd := exec.CommandContext(t.Context(), binary, arguments...)
	cmd.Dir = "../prometheus"
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Logf("%s", output)
}

func TestPrometheusTakesTheConfigurations(t *testing.T) {
	promtool(t, "check", "config", "prometheus.yaml", "demo.yaml")
}

func TestAlertsFireInTheirCaseAndStayQuietInTheNearMiss(t *testing.T) {
	promtool(t, "test", "rules", "rules_test.yaml", "rules_slow_test.yaml")
}

// alerts are the alerting rules of deploy/prometheus.
func alerts(t *testing.T) []monitoring.Rule {
	t.Helper()
	var spec monitoring.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict([]byte(read(t, "../prometheus/rules.yaml")), &spec); err != nil {
		t.Fatal(err)
	}
	var all []monitoring.Rule
	for _, g := range spec.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d alerts were found", len(all))
	}
	return all
}

// ruleTests are the files that promtool runs, as far as it matters here.
type ruleTests struct {
	Tests []struct {
		Name        string
		InputSeries []struct{ Series string } `json:"input_series"`
		Expressions []struct {
			Expr    string
			Samples []struct{ Labels string } `json:"exp_samples"`
		} `json:"promql_expr_test"`
	}
}

var namespace = regexp.MustCompile(`namespace="([a-z_]+)"`)

// promtool passes as well where nothing is tested.
func TestEveryAlertHasACaseAndANearMiss(t *testing.T) {
	tested := map[string]bool{}
	for _, file := range []string{"rules_test.yaml", "rules_slow_test.yaml"} {
		var tests ruleTests
		if err := yaml.Unmarshal([]byte(read(t, filepath.Join("../prometheus", file))), &tests); err != nil {
			t.Fatal(err)
		}
		for _, test := range tests.Tests {
			given := map[string]bool{}
			for _, s := range test.InputSeries {
				if m := namespace.FindStringSubmatch(s.Series); m != nil {
					given[m[1]] = true
				}
			}
			for _, e := range test.Expressions {
				if e.Expr != `ALERTS{alertname="`+test.Name+`",alertstate="firing"}` {
					continue
				}
				fired := map[string]bool{}
				for _, s := range e.Samples {
					fired[namespace.FindStringSubmatch(s.Labels)[1]] = true
				}
				for name := range given {
					if strings.HasPrefix(name, "fires") != fired[name] {
						t.Errorf("%s: %s is expected to fire: %v", test.Name, name, fired[name])
					}
				}
				tested[test.Name] = given["fires"] && given["quiet"]
			}
		}
	}
	for _, a := range alerts(t) {
		if !tested[a.Alert] {
			t.Errorf("%s has no test with a case and a near miss", a.Alert)
		}
	}
}

func TestEveryAlertSaysWhatPeopleFeelAndWhatToDo(t *testing.T) {
	runbook := read(t, root+"/docs/runbook.md")
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(runbook, -1) {
		headings[anchor(m[1])] = true
	}
	names := map[string]bool{}
	for _, a := range alerts(t) {
		names[anchor(a.Alert)] = true
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		if !strings.HasSuffix(a.Annotations["summary"], ".") || strings.Contains(a.Annotations["summary"], "{{") {
			t.Errorf("%s: the summary is no sentence of its own: %q", a.Alert, a.Annotations["summary"])
		}
		if len(a.Annotations["description"]) < 40 {
			t.Errorf("%s: the description says little: %q", a.Alert, a.Annotations["description"])
		}
		if url := a.Annotations["runbook_url"]; url != "docs/runbook.md#"+anchor(a.Alert) || !headings[anchor(a.Alert)] {
			t.Errorf("%s: the link %q leads nowhere", a.Alert, url)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## (Mfa\w+)$`).FindAllStringSubmatch(runbook, -1) {
		if !names[anchor(m[1])] {
			t.Errorf("the runbook speaks of %s, which is no alert", m[1])
		}
	}
}

// anchor is the fragment that GitHub and GitLab give a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
	return kept
}
