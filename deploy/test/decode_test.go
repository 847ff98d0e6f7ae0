package deploytest

import (
	"errors"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one rendered object.
type document struct {
	kind string // such as apps/v1 Deployment
	text string
}

// documents takes what helm printed apart.
func documents(t *testing.T, output string) []document {
	t.Helper()
	var all []document
	for text := range strings.SplitSeq(output, "\n---\n") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if head.Kind != "" {
			all = append(all, document{head.APIVersion + " " + head.Kind, text})
		}
	}
	return all
}

// types has an empty object of each kind that the chart may render.
var types = map[string]func() any{
	"apps/v1 Deployment":                      func() any { return &apps.Deployment{} },
	"autoscaling/v2 HorizontalPodAutoscaler":  func() any { return &autoscaling.HorizontalPodAutoscaler{} },
	"monitoring.coreos.com/v1 PrometheusRule": func() any { return &monitoring.PrometheusRule{} },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return &monitoring.ServiceMonitor{} },
	"networking.k8s.io/v1 NetworkPolicy":      func() any { return &networking.NetworkPolicy{} },
	"policy/v1 PodDisruptionBudget":           func() any { return &policy.PodDisruptionBudget{} },
	"v1 ConfigMap":                            func() any { return &core.ConfigMap{} },
	"v1 Service":                              func() any { return &core.Service{} },
	"v1 ServiceAccount":                       func() any { return &core.ServiceAccount{} },
}

// decode reads an object as the API server does when it validates strictly:
// unknown fields, repeated ones, and those of another case are errors.
// (UnmarshalStrict of sigs.k8s.io/yaml would let the case pass.)
func decode(d document) (any, error) {
	fresh, known := types[d.kind]
	if !known {
		return nil, &unknownKind{d.kind}
	}
	text, err := yaml.YAMLToJSONStrict([]byte(d.text))
	if err != nil {
		return nil, err
	}
	object := fresh()
	faults, err := json.UnmarshalStrict(text, object)
	return object, errors.Join(append(faults, err)...)
}

type unknownKind struct{ kind string }

func (e *unknownKind) Error() string { return "the chart has no business with a " + e.kind }

// find decodes the one object of a type.
func find[T any](t *testing.T, all []document) *T {
	t.Helper()
	var found []*T
	for _, d := range all {
		object, err := decode(d)
		if err != nil {
			t.Fatalf("%s: %v", d.kind, err)
		}
		if one, ok := object.(*T); ok {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of type %T, want 1", len(found), *new(T))
	}
	return found[0]
}

func TestEveryRenderedObjectDecodesStrictly(t *testing.T) {
	kinds := map[string]bool{}
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			for _, d := range render(t, values) {
				kinds[d.kind] = true
				if _, err := decode(d); err != nil {
					t.Errorf("%s: %v\n%s", d.kind, err, d.text)
				}
			}
		})
	}
	for kind := range types {
		if !kinds[kind] {
			t.Errorf("no values file renders a %s", kind)
		}
	}
}

// A test that cannot fail shows nothing: a letter too many must be noticed in
// every kind of object.
func TestAMisspeltFieldDoesNotDecode(t *testing.T) {
	misspelt := map[string][2]string{
		"apps/v1 Deployment":                      {"readOnlyRootFilesystem:", "readOnlyRootFileSystem:"},
		"autoscaling/v2 HorizontalPodAutoscaler":  {"averageUtilization:", "averageUtilisation:"},
		"monitoring.coreos.com/v1 PrometheusRule": {"        expr:", "        expression:"},
		"monitoring.coreos.com/v1 ServiceMonitor": {"interval:", "intervall:"},
		"networking.k8s.io/v1 NetworkPolicy":      {"policyTypes:", "policyType:"},
		"policy/v1 PodDisruptionBudget":           {"maxUnavailable:", "maxUnavailabel:"},
		"v1 ConfigMap":                            {"data:", "dta:"},
		"v1 Service":                              {"targetPort:", "targetport:"},
		"v1 ServiceAccount":                       {"automountServiceAccountToken:", "autoMountServiceAccountToken:"},
	}
	seen := map[string]bool{}
	for _, d := range render(t, valuesFiles(t)["everything"]) {
		swap := misspelt[d.kind]
		wrong := document{d.kind, strings.Replace(d.text, swap[0], swap[1], 1)}
		if swap[0] == "" || wrong.text == d.text {
			t.Errorf("%s: there is nothing to misspell", d.kind)
		}
		if _, err := decode(wrong); err == nil {
			t.Errorf("%s: %s was not noticed", d.kind, swap[1])
		}
		seen[d.kind] = true
	}
	if len(seen) != len(types) {
		t.Errorf("%d kinds were tried, want %d", len(seen), len(types))
	}
}
