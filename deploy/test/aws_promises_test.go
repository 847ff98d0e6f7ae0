package deploytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// statements are the IAM permissions of a role, as action and resource.
func statements(role map[string]any) []string {
	var all []string
	policies, _ := at(role, "Properties", "Policies").([]any)
	for _, p := range policies {
		list, _ := at(p, "PolicyDocument", "Statement").([]any)
		for _, s := range list {
			actions, ok := at(s, "Action").([]any)
			if !ok {
				actions = []any{at(s, "Action")}
			}
			for _, action := range actions {
				all = append(all, fmt.Sprintf("%s %s %s", at(s, "Effect"), action, at(s, "Resource")))
			}
		}
	}
	slices.Sort(all)
	return all
}

// at walks down maps.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// first is the first element of a list.
func first(v any) any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return nil
}

func TestTasksHaveNoRoleAndTheAgentWritesLogs(t *testing.T) {
	logs := []string{"Allow logs:CreateLogStream Arn-of-LogGroup", "Allow logs:PutLogEvents Arn-of-LogGroup"}
	secret := stacks()["with Redis"]["SecretArn"]
	image := stacks()["with everything"]["EcrRepositoryArn"]
	want := map[string][]string{
		"as it comes": logs,
		"with Redis":  append([]string{"Allow secretsmanager:GetSecretValue " + secret}, logs...),
		"with everything": append([]string{
			"Allow secretsmanager:GetSecretValue " + secret, "Allow ecr:GetAuthorizationToken *",
			"Allow ecr:BatchCheckLayerAvailability " + image, "Allow ecr:BatchGetImage " + image, "Allow ecr:GetDownloadUrlForLayer " + image,
		}, logs...),
	}
	for name, parameters := range stacks() {
		t.Run(name, func(t *testing.T) {
			made := deploy(t, parameters).resources()
			wanted := slices.Sorted(slices.Values(want[name]))
			if got := statements(made["ExecutionRole"]); !slices.Equal(got, wanted) {
				t.Errorf("the agent may:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
			}
			task := at(made["TaskDefinition"], "Properties").(map[string]any)
			if role, given := task["TaskRoleArn"]; given {
				t.Errorf("the tasks have the role %v", role)
			}
			if managed := at(made["ExecutionRole"], "Properties", "ManagedPolicyArns"); managed != nil {
				t.Errorf("the agent has managed policies too: %v", managed)
			}
		})
	}
}

func TestTaskSetsWhatTheServiceReads(t *testing.T) {
	known := settings(t)
	for name, parameters := range stacks() {
		t.Run(name, func(t *testing.T) {
			container := first(at(deploy(t, parameters).resources()["TaskDefinition"], "Properties", "ContainerDefinitions"))
			given := map[string]bool{}
			for _, from := range []string{"Environment", "Secrets"} {
				list, _ := at(container, from).([]any)
				for _, e := range list {
					given[at(e, "Name").(string)] = true
					// Whoever calls from a trusted address can forge theirs, so it is
					// the load balancer's subnets and not the whole VPC.
					if trusted := at(e, "Value"); at(e, "Name") == "TRUSTED_PROXIES" && trusted != "given-LoadBalancerCidrs" {
						t.Errorf("TRUSTED_PROXIES are %v", trusted)
					}
				}
			}
			for variable := range given {
				// GOMEMLIMIT is read by Go's runtime.
				if variable != "GOMEMLIMIT" && !slices.Contains(known, variable) {
					t.Errorf("%s is not read by the service", variable)
				}
			}
			if given["REDIS_URL"] != given["SEAL_KEYS"] || given["REDIS_URL"] != (parameters["WithRedis"] == "true") {
				t.Errorf("REDIS_URL and SEAL_KEYS do not go together: %v", given)
			}
			if given["COGNITO_CLIENT_SECRETS"] != (parameters["WithClientSecrets"] == "true") {
				t.Errorf("COGNITO_CLIENT_SECRETS: %v", given)
			}
			if given["EVENTS_URL"] != given["EVENTS_SECRETS"] || given["EVENTS_URL"] != (parameters["WithEvents"] == "true") {
				t.Errorf("EVENTS_URL and EVENTS_SECRETS do not go together: %v", given)
			}
		})
	}
}

func TestTaskIsAsClosedAsThePod(t *testing.T) {
	made := deploy(t, nil).resources()
	container := first(at(made["TaskDefinition"], "Properties", "ContainerDefinitions"))
	if at(container, "ReadonlyRootFilesystem") != true || at(container, "User") != "65532:65532" || first(at(container, "LinuxParameters", "Capabilities", "Drop")) != "ALL" {
		t.Errorf("the container may do more than it must: %v", container)
	}
	delay := shutdownDelay(t, container)
	if grace, _ := at(container, "StopTimeout").(float64); int64(grace) <= int64(delay.Seconds())+stopTimeout(t) {
		t.Errorf("killed after %v s, of which %v go by before the listeners close", grace, delay)
	}
	target := at(made["TargetGroup"], "Properties")
	every, _ := at(target, "HealthCheckIntervalSeconds").(float64)
	times, _ := at(target, "UnhealthyThresholdCount").(float64)
	if notice := time.Duration(every*times) * time.Second; notice == 0 || delay <= notice {
		t.Errorf("the load balancer notices after %v, and the listeners close after %v", notice, delay)
	}
	if at(made["TargetGroup"], "Properties", "HealthCheckPath") != "/readyz" || at(made["TargetGroup"], "Properties", "HealthCheckPort") != "9090" {
		t.Error("the load balancer does not ask for readiness")
	}
	for name, r := range made {
		if r["Type"] != "AWS::ElasticLoadBalancingV2::Listener" {
			continue
		}
		if at(r, "Properties", "Protocol") != "HTTPS" {
			t.Errorf("%s takes tokens in clear", name)
		}
	}
}

// shutdownDelay is what the container's environment says.
func shutdownDelay(t *testing.T, container any) time.Duration {
	t.Helper()
	list, _ := at(container, "Environment").([]any)
	for _, e := range list {
		if at(e, "Name") == "SHUTDOWN_DELAY" {
			delay, err := time.ParseDuration(at(e, "Value").(string))
			if err != nil {
				t.Fatal(err)
			}
			return delay
		}
	}
	t.Fatal("SHUTDOWN_DELAY is not set")
	return 0
}

func TestSecretIsWantedWhereItIsNeeded(t *testing.T) {
	for name, parameters := range map[string]map[string]string{
		"Redis":          {"WithRedis": "true"},
		"client secrets": {"WithClientSecrets": "true"},
		"events":         {"WithEvents": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			s, refused := deploy(t, parameters), false
			for _, rule := range s.template.Rules {
				applies, _ := s.value(at(rule, "RuleCondition")).(bool)
				holds, _ := s.value(at(first(at(rule, "Assertions")), "Assert")).(bool)
				refused = refused || applies && !holds
			}
			if !refused {
				t.Error("the stack is made without the secret")
			}
		})
	}
}
