package deploytest

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	security "k8s.io/pod-security-admission/api"
	securitypolicy "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// api is the pod's one container.
func api(t *testing.T, d *apps.Deployment) core.Container {
	t.Helper()
	containers := d.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("%d containers, want 1", len(containers))
	}
	return containers[0]
}

// forEach renders every values file.
func forEach(t *testing.T, check func(*testing.T, []document)) {
	t.Helper()
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) { check(t, render(t, values)) })
	}
}

// The judge is Kubernetes' own admission code.
func TestPodsKeepToTheRestrictedStandard(t *testing.T) {
	judge, err := securitypolicy.NewEvaluator(securitypolicy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	forEach(t, func(t *testing.T, all []document) {
		d := find[apps.Deployment](t, all)
		pod := d.Spec.Template
		for _, verdict := range judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !verdict.Allowed {
				t.Errorf("%s: %s", verdict.ForbiddenReason, verdict.ForbiddenDetail)
			}
		}
		if c := api(t, d).SecurityContext; c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
			t.Error("the file system can be written")
		}
		if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
			t.Error("the pod gets a token of its service account")
		}
		pod.Spec.Containers[0].SecurityContext.Capabilities = nil
		if verdict := securitypolicy.AggregateCheckResults(judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec)); verdict.Allowed {
			t.Error("a pod that keeps its capabilities is let through: this test checks nothing")
		}
	})
}

func TestProbesAskTheAdminPort(t *testing.T) {
	forEach(t, func(t *testing.T, all []document) {
		c := api(t, find[apps.Deployment](t, all))
		for path, probe := range map[string]*core.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "admin" {
				t.Errorf("no probe asks %s on the admin port: %v", path, probe)
			}
		}
		ports := map[string]int32{}
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
		environment := plain(c)
		if environment["ADDR"] != fmt.Sprint(":", ports["http"]) || environment["ADMIN_ADDR"] != fmt.Sprint(":", ports["admin"]) {
			t.Errorf("the service listens on %s and %s, the pod names %v", environment["ADDR"], environment["ADMIN_ADDR"], ports)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("the resources are not said: %v", c.Resources)
		}
	})
}

// stopTimeout is what the service gives requests in flight, as its source says.
func stopTimeout(t *testing.T) int64 {
	t.Helper()
	m := regexp.MustCompile(`stopTimeout = (\d+) \* time\.Second`).FindStringSubmatch(read(t, root+"/app/lifecycle.go"))
	if m == nil {
		t.Fatal("app/lifecycle.go no longer says stopTimeout")
	}
	seconds, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

func TestGraceIsLongerThanTheGracefulStop(t *testing.T) {
	stop := stopTimeout(t)
	forEach(t, func(t *testing.T, all []document) {
		d := find[apps.Deployment](t, all)
		delay, err := time.ParseDuration(plain(api(t, d))["SHUTDOWN_DELAY"])
		if err != nil || delay < time.Second {
			t.Fatalf("nothing waits for load balancers to notice: %v, %v", delay, err)
		}
		grace, needed := *d.Spec.Template.Spec.TerminationGracePeriodSeconds, int64(delay.Seconds())+stop
		if grace <= needed {
			t.Errorf("killed after %d s, and %d s may be needed", grace, needed)
		}
		// The kubelet and what watches it must see the failure before that.
		probe := api(t, d).ReadinessProbe
		if notice := time.Duration(probe.PeriodSeconds*probe.FailureThreshold) * time.Second; delay < notice {
			t.Errorf("not ready is noticed after %v, and the listeners close after %v", notice, delay)
		}
	})
}

// plain holds the environment variables whose value is in the chart.
func plain(c core.Container) map[string]string {
	values := map[string]string{}
	for _, e := range c.Env {
		values[e.Name] = e.Value
	}
	return values
}

// settings are the names of the service's environment variables.
func settings(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, m := range regexp.MustCompile("`env:\"([A-Z_]+)\"").FindAllStringSubmatch(read(t, root+"/app/config.go"), -1) {
		names = append(names, m[1])
	}
	if len(names) < 15 {
		t.Fatalf("only %d settings were found", len(names))
	}
	return names
}

func TestChartSetsWhatTheServiceReadsAndNothingElse(t *testing.T) {
	elsewhere := map[string]string{
		"COGNITO_ENDPOINT": "is for tests",
		"PROFILING":        "is for an hour, through extraEnv",
	}
	known := settings(t)
	given := plain(api(t, find[apps.Deployment](t, render(t, valuesFiles(t)["everything"], "--set-json", "extraEnv=[]"))))
	for _, name := range known {
		_, direct := given[name]
		_, file := given[name+"_FILE"]
		if elsewhere[name] == "" && !direct && !file {
			t.Errorf("%s cannot be set", name)
		}
	}
	if got := given["GOMEMLIMIT"]; got != "460MiB" {
		t.Errorf("GOMEMLIMIT is %q beside a memory limit of 512Mi", got)
	}
	delete(given, "GOMEMLIMIT") // Go's runtime reads it.
	for name := range given {
		if !slices.Contains(known, name) && !slices.Contains(known, strings.TrimSuffix(name, "_FILE")) {
			t.Errorf("%s is not read by the service", name)
		}
	}
}

// One source: what the schema takes is what the service takes.
func TestSchemaHasThePatternsOfTheService(t *testing.T) {
	source, schema := read(t, root+"/app/config.go"), read(t, chart+"/values.schema.json")
	for _, name := range []string{"clientID", "origin", "neverSent"} {
		m := regexp.MustCompile(`(?m)^\t` + name + ` += regexp\.MustCompile\(` + "`(.+)`" + `\)$`).FindStringSubmatch(source)
		if m == nil {
			t.Fatalf("app/config.go no longer has %s", name)
		}
		if !strings.Contains(schema, `"pattern": "`+strings.ReplaceAll(m[1], `\`, `\\`)+`"`) {
			t.Errorf("values.schema.json does not have the pattern %s of %s", m[1], name)
		}
	}
}

// The chart can leak no secret that it never has: it names Secrets and their
// keys, and mounts them where NAME_FILE looks.
func TestSecretsAreReferencesMountedAsFiles(t *testing.T) {
	all := render(t, valuesFiles(t)["everything"])
	for _, d := range all {
		if d.kind == "v1 Secret" {
			t.Error("the chart renders a Secret")
		}
	}
	pod := find[apps.Deployment](t, all).Spec.Template.Spec
	environment := plain(pod.Containers[0])
	for _, name := range []string{"COGNITO_CLIENT_SECRETS", "REDIS_URL", "SEAL_KEYS"} {
		if _, direct := environment[name]; direct {
			t.Errorf("%s stands in the Deployment", name)
		}
	}
	mounts := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
		if !m.ReadOnly {
			t.Errorf("%s can be written", m.Name)
		}
	}
	files := map[string]string{}
	for _, v := range pod.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			for _, item := range source.Secret.Items {
				files[mounts[v.Name]+"/"+item.Path] = source.Secret.Name + "/" + item.Key
			}
		}
	}
	want := map[string]string{
		environment["COGNITO_CLIENT_SECRETS_FILE"]: "mfa-enrollment/client-secrets",
		environment["REDIS_URL_FILE"]:              "redis/url",
		environment["SEAL_KEYS_FILE"]:              "mfa-enrollment/seal-keys",
		environment["EVENTS_URL_FILE"]:             "mfa-enrollment/events-url",
		environment["EVENTS_SECRETS_FILE"]:         "mfa-enrollment/events-secrets",
	}
	if !maps.Equal(files, want) {
		t.Errorf("mounted: %v\nwanted: %v", files, want)
	}
}

func TestReplicasWithoutRedisDivideTheQuota(t *testing.T) {
	tests := map[string]string{
		"minimal":    "4.167", // 25 for six replicas
		"fixed":      "8.333", // 25 for three
		"redis":      "25",
		"everything": "12.5",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got := plain(api(t, find[apps.Deployment](t, render(t, valuesFiles(t)[name]))))["COGNITO_WRITE_RPS"]
			if got != want {
				t.Errorf("COGNITO_WRITE_RPS is %s, want %s", got, want)
			}
		})
	}
}

func TestReplicasSpreadAndScale(t *testing.T) {
	all := render(t, valuesFiles(t)["minimal"])
	d := find[apps.Deployment](t, all)
	if d.Spec.Replicas != nil {
		t.Error("the Deployment fights its autoscaler about the number of replicas")
	}
	var over []string
	for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
		over = append(over, c.TopologyKey)
	}
	if !slices.Equal(over, []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}) {
		t.Errorf("pods spread over %v", over)
	}
	if target := find[autoscaling.HorizontalPodAutoscaler](t, all).Spec.ScaleTargetRef; target.Name != d.Name || target.Kind != "Deployment" {
		t.Errorf("the autoscaler scales %v", target)
	}
	fixed := find[apps.Deployment](t, render(t, valuesFiles(t)["fixed"]))
	if fixed.Spec.Replicas == nil || *fixed.Spec.Replicas != 3 {
		t.Errorf("replicas: %v, want 3", fixed.Spec.Replicas)
	}
}

func TestNetworkPolicyKeepsTheAdminPortAndTheMetadataAddressAway(t *testing.T) {
	policy := find[networking.NetworkPolicy](t, render(t, valuesFiles(t)["minimal"]))
	if !slices.Equal(policy.Spec.PolicyTypes, []networking.PolicyType{"Ingress", "Egress"}) {
		t.Errorf("the policy is about %v", policy.Spec.PolicyTypes)
	}
	for _, rule := range policy.Spec.Ingress {
		for _, p := range rule.Ports {
			if p.Port.StrVal != "http" {
				t.Errorf("port %s is open to everybody", p.Port)
			}
		}
	}
	for _, rule := range policy.Spec.Egress {
		for _, peer := range rule.To {
			if peer.IPBlock.CIDR == "0.0.0.0/0" && !slices.Contains(peer.IPBlock.Except, "169.254.0.0/16") {
				t.Error("the cloud's metadata address can be reached")
			}
		}
		if len(rule.To) == 0 && rule.Ports[0].Port.IntVal != 53 {
			t.Errorf("port %s leads anywhere", rule.Ports[0].Port)
		}
	}
}

// selects says whether a selector of labels chooses an object.
func selects(t *testing.T, selector *meta.LabelSelector, has map[string]string) bool {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(has))
}

// The rules read job="mfa-enrollment"; if the ServiceMonitor makes another job,
// every alert is silent for ever.
func TestServiceMonitorMakesTheJobThatTheRulesRead(t *testing.T) {
	all := render(t, valuesFiles(t)["everything"])
	monitor := find[monitoring.ServiceMonitor](t, all)
	var chosen []core.Service
	for _, d := range all {
		object, _ := decode(d)
		if s, ok := object.(*core.Service); ok && selects(t, &monitor.Spec.Selector, s.Labels) {
			chosen = append(chosen, *s)
		}
	}
	if len(chosen) != 1 {
		t.Fatalf("the ServiceMonitor selects %d Services, want the admin one", len(chosen))
	}
	if job := chosen[0].Labels[monitor.Spec.JobLabel]; job != "mfa-enrollment" {
		t.Errorf("the job is %q", job)
	}
	if port := chosen[0].Spec.Ports[0]; port.Name != monitor.Spec.Endpoints[0].Port || port.TargetPort.StrVal != "admin" {
		t.Errorf("scraped: %v", port)
	}
	pod := find[apps.Deployment](t, all).Spec.Template.Labels
	if !selects(t, &meta.LabelSelector{MatchLabels: chosen[0].Spec.Selector}, pod) {
		t.Error("the Service selects no pod")
	}
}

// One source: what the chart ships is what deploy/prometheus and deploy/grafana
// hold (a symbolic link would not survive helm package).
func TestChartShipsTheRulesAndTheDashboard(t *testing.T) {
	for file, source := range map[string]string{"rules.yaml": "../prometheus/rules.yaml", "dashboard.json": "../grafana/dashboard.json"} {
		if read(t, chart+"/files/"+file) != read(t, source) {
			t.Errorf("%s in the chart is not %s: make deploy-files", file, source)
		}
	}
	all := render(t, valuesFiles(t)["everything"], "--set", "prometheusRule.runbookURL=docs/runbook.md")
	var source monitoring.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict([]byte(read(t, "../prometheus/rules.yaml")), &source); err != nil {
		t.Fatal(err)
	}
	rendered := find[monitoring.PrometheusRule](t, all).Spec
	if got, want := mustYAML(t, rendered), mustYAML(t, source); got != want {
		t.Errorf("the PrometheusRule differs from rules.yaml:\n%s", got)
	}
	if got := find[core.ConfigMap](t, all).Data["mfa-enrollment.json"]; strings.TrimSpace(got) != strings.TrimSpace(read(t, "../grafana/dashboard.json")) {
		t.Error("the ConfigMap's dashboard differs from dashboard.json")
	}

	elsewhere := find[monitoring.PrometheusRule](t, render(t, valuesFiles(t)["everything"]))
	for _, g := range elsewhere.Spec.Groups {
		for _, r := range g.Rules {
			if url := r.Annotations["runbook_url"]; r.Alert != "" && !strings.HasPrefix(url, "https://git.example.com/mfa-enrollment/docs/runbook.md#") {
				t.Errorf("%s links to %s", r.Alert, url)
			}
		}
	}
}

func mustYAML(t *testing.T, v any) string {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
