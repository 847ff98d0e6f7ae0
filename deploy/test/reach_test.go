package deploytest

import (
	"strconv"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	security "k8s.io/pod-security-admission/api"
	securitypolicy "k8s.io/pod-security-admission/policy"
)

func TestIngressAndRouteLeadToTheServicesPort(t *testing.T) {
	all := render(t, valuesFiles(t)["everything"])
	var service *core.Service
	for _, d := range all {
		object, err := decode(d)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := object.(*core.Service); ok && s.Spec.Ports[0].Name == "http" {
			service = s
		}
	}
	if service.Name != "identity-enrollment" || *service.Spec.Ports[0].AppProtocol != "https" {
		t.Errorf("the Service is %s with %+v", service.Name, service.Spec.Ports[0])
	}
	path := find[networking.Ingress](t, all).Spec.Rules[0].HTTP.Paths[0]
	if to := path.Backend.Service; to.Name != service.Name || to.Port.Name != "http" || path.Path != "/mfa" {
		t.Errorf("the Ingress leads to %+v", to)
	}
	if to := find[httpRoute](t, all).Spec.Rules[0].BackendRefs[0]; to.Name != service.Name || to.Port != service.Spec.Ports[0].Port {
		t.Errorf("the route leads to %+v", to)
	}
}

// The check has what the service has: otherwise it would look at something else.
func TestTheCheckRunsAsTheServiceDoesAndGetsNoRequests(t *testing.T) {
	all := render(t, valuesFiles(t)["everything"])
	d, pod := find[apps.Deployment](t, all), find[core.Pod](t, all)
	own := api(t, d)
	for name, c := range map[string]core.Container{"helm test": pod.Spec.Containers[0], "init container": d.Spec.Template.Spec.InitContainers[0]} {
		if len(c.Args) != 1 || c.Args[0] != "check" || c.Image != own.Image || len(c.Env) != len(own.Env) || len(c.EnvFrom) != 1 || len(c.VolumeMounts) != len(own.VolumeMounts) {
			t.Errorf("%s: %v %s with %d variables and %d mounts", name, c.Args, c.Image, len(c.Env), len(c.VolumeMounts))
		}
	}
	if len(pod.Spec.Volumes) != len(d.Spec.Template.Spec.Volumes) {
		t.Errorf("%d volumes", len(pod.Spec.Volumes))
	}
	selector, err := meta.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		t.Fatal(err)
	}
	if selector.Matches(labels.Set(pod.Labels)) {
		t.Errorf("the check is one of the service's pods: %v", pod.Labels)
	}
	judge, err := securitypolicy.NewEvaluator(securitypolicy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	if verdict := securitypolicy.AggregateCheckResults(judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec)); !verdict.Allowed {
		t.Errorf("the check's pod: %s", verdict.ForbiddenDetail())
	}
}

// However many replicas there are, and one more during a roll-out, together they
// spend no more than the quota.
func TestTheSharesNeverAddUpToMoreThanTheQuota(t *testing.T) {
	for _, replicas := range []int{1, 2, 6, 7, 11, 23, 24} {
		all := render(t, valuesFiles(t)["fixed"], "--set", "replicaCount="+strconv.Itoa(replicas))
		share, err := strconv.ParseFloat(plain(api(t, find[apps.Deployment](t, all)))["COGNITO_WRITE_RPS"], 64)
		if err != nil || share < 1 || share*float64(replicas+1) > 25 {
			t.Errorf("%d replicas: %v each, %v", replicas, share, err)
		}
	}
}
