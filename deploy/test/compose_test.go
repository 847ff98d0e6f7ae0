package deploytest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/schema"
	"sigs.k8s.io/yaml"
)

func composeFile(t *testing.T) map[string]any {
	t.Helper()
	var file map[string]any
	if err := yaml.UnmarshalStrict([]byte(read(t, "../compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// The schema is the Compose Specification's own, as Docker Compose checks it.
func TestComposeFileFitsTheSpecification(t *testing.T) {
	file := composeFile(t)
	if err := schema.Validate(file); err != nil {
		t.Error(err)
	}
	services, _ := file["services"].(map[string]any)
	service, _ := services["api"].(map[string]any)
	service["readonly"] = true
	if schema.Validate(file) == nil {
		t.Error("a misspelt key was not noticed")
	}
}

func TestComposeFileMountsWhatIsThere(t *testing.T) {
	services, _ := composeFile(t)["services"].(map[string]any)
	checked := 0
	for name, s := range services {
		service, _ := s.(map[string]any)
		volumes, _ := service["volumes"].([]any)
		for _, v := range volumes {
			source, _, _ := strings.Cut(v.(string), ":")
			if !strings.HasPrefix(source, "./") {
				continue
			}
			checked++
			if _, err := os.Stat("../" + source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		ports, _ := service["ports"].([]any)
		for _, p := range ports {
			if !strings.HasPrefix(p.(string), "127.0.0.1:") {
				t.Errorf("%s is published to the network: %s", name, p)
			}
		}
	}
	if checked < 4 {
		t.Errorf("only %d mounts were found", checked)
	}
}

func TestComposeFileSetsWhatTheServiceReads(t *testing.T) {
	services, _ := composeFile(t)["services"].(map[string]any)
	service, _ := services["api"].(map[string]any)
	environment, _ := service["environment"].(map[string]any)
	grace, err := time.ParseDuration(service["stop_grace_period"].(string))
	if err != nil {
		t.Fatal(err)
	}
	delay, err := time.ParseDuration(environment["SHUTDOWN_DELAY"].(string))
	if err != nil || int64(grace.Seconds()) <= int64(delay.Seconds())+stopTimeout(t) {
		t.Errorf("killed after %v, of which %v go by before the listeners close: %v", grace, delay, err)
	}
	known := map[string]bool{}
	for _, name := range settings(t) {
		known[name], known[name+"_FILE"] = true, true
	}
	if len(environment) < 5 {
		t.Errorf("only %d variables were found", len(environment))
	}
	for name := range environment {
		if !known[name] {
			t.Errorf("%s is not read by the service", name)
		}
	}
}
