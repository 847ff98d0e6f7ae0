package live

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// TestEveryExpressionFindsWhatTheServiceExposes catches what no unit test of
// rules can: a metric or label that the service does not have.
func TestEveryExpressionFindsWhatTheServiceExposes(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(receiver.Close)
	settings := world.StartRedis(t).Settings()
	settings["EVENTS_URL"], settings["EVENTS_SECRETS"] = receiver.URL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s := startService(t, settings)
	p := startPrometheus(t, map[string]string{"load": s.App.AdminAddr()})
	p.scrapes(t, 3)
	// Twice, since a series that is born in a request grows at the next one only.
	s.everything("ada", "grace")
	p.scrapes(t, 3)
	s.everything("grace", "linus")
	p.scrapes(t, 10)

	for name, expression := range expressions(t, p) {
		t.Run(name, func(t *testing.T) {
			found, err := p.query(t, expression)
			if err != nil {
				t.Fatalf("%s\n%v", expression, err)
			}
			for _, one := range found {
				if one.value() != "NaN" {
					return
				}
			}
			t.Errorf("%s\nreturned %d series, none with a number", expression, len(found))
		})
	}
}

// scrapes waits until Prometheus has scraped every service n times more, and has
// evaluated every rule since.
func (p *prometheus) scrapes(t *testing.T, n int) {
	t.Helper()
	seen := func() int {
		found, err := p.query(t, `min(count_over_time(up{job="mfa-enrollment"}[1d]))`)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			return 0
		}
		count, _ := strconv.Atoi(found[0].value())
		return count
	}
	until := seen() + n
	eventually(t, "the service is scraped", func() bool { return seen() >= until })
	scraped := time.Now()
	eventually(t, "the rules are evaluated", func() bool {
		for _, group := range p.rules(t) {
			if !group.LastEvaluation.After(scraped) {
				return false
			}
		}
		return true
	})
}

// group is a group of rules as Prometheus has read it.
type group struct {
	Name           string
	LastEvaluation time.Time
	Rules          []struct{ Name, Query, Type, Health, LastError string }
}

func (p *prometheus) rules(t *testing.T) []group {
	t.Helper()
	_, body := p.get(t, "/api/v1/rules", nil)
	var answer struct{ Data struct{ Groups []group } }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return answer.Data.Groups
}

// comparison is an operator that takes away the series for which it is not
// true. Prometheus writes spaces around operators and none in matchers.
var comparison = regexp.MustCompile(` (==|!=|>=|<=|>|<) `)

// expressions are all that are in the rules and in the dashboard. An alert must
// be quiet here, so its comparisons are made to answer 0 and 1 in place of
// nothing and something: its series must be there all the same.
func expressions(t *testing.T, p *prometheus) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, g := range p.rules(t) {
		for _, r := range g.Rules {
			all["rules/"+r.Name] = comparison.ReplaceAllString(r.Query, " $1 bool ")
			if r.Health != "ok" {
				t.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	content, err := os.ReadFile("../grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	// What Grafana puts in for its variables.
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$namespace", ".*")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all["dashboard/"+panel.Title+"/"+target.RefID] = variables.Replace(target.Expr)
		}
	}
	labelValues := regexp.MustCompile(`^label_values\((.+), \w+\)$`)
	for _, v := range dashboard.Templating.List {
		if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
			all["dashboard/variable "+v.Name] = m[1]
		}
	}
	if len(all) < 80 {
		t.Fatalf("only %d expressions were found; the files or this test have changed their form", len(all))
	}
	return all
}
