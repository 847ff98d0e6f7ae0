package deploytest

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the chart's README")

var setting = regexp.MustCompile(`^( *)([A-Za-z]\w*):(?: (.*))?$`)

// TestTheChartsREADMEListsItsValues writes values.yaml as a table: each value, its
// default, and the comment above it. -update writes the file.
func TestTheChartsREADMEListsItsValues(t *testing.T) {
	var table, comment strings.Builder
	var path []string
	for line := range strings.Lines(read(t, chart+"/values.yaml")) {
		line = strings.TrimRight(line, "\n")
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok {
			comment.WriteString(text)
			continue
		}
		m := setting.FindStringSubmatch(line)
		if m == nil {
			comment.Reset() // the head of the file, or between groups
			continue
		}
		path = append(path[:min(len(path), len(m[1])/2)], m[2])
		name, words := strings.Join(path, "."), strings.TrimSpace(comment.String())
		comment.Reset()
		if m[3] != "" || words != "" {
			standard := ""
			if m[3] != "" {
				standard = "`" + m[3] + "`"
			}
			fmt.Fprintf(&table, "| `%s` | %s | %s |\n", name, standard, strings.ReplaceAll(words, "|", "\\|"))
		}
	}
	want := readmeHead + table.String()
	if *update {
		if err := os.WriteFile(chart+"/README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, chart+"/README.md"); got != want {
		t.Error("the chart's README is not what values.yaml says; go test -run README -update in deploy/test mends it")
	}
}

const readmeHead = `# mfa-enrollment

Sets up authenticator apps (TOTP) for people in Amazon Cognito user pools. deploy/README.md of the repository has an example.

Kubernetes 1.27 or newer. A change of a value rolls the pods out. So does a change of a Secret that the chart mounts, with the next "helm upgrade": its contents' checksum is an annotation of the pods. Where charts are rendered without the cluster (helm template, Argo CD) put a checksum of your own into podAnnotations.

"helm test RELEASE" runs "api check" with the service's environment.

| value | default | meaning |
|---|---|---|
`
