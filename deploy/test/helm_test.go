package deploytest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root  = "../.."
	chart = "../helm/mfa-enrollment"
	// kubeVersion is what the chart is rendered for: a helm that was built from
	// source believes in a very old one.
	kubeVersion = "1.34.0"
)

// helmBinary builds helm once, at the version that tools/go.mod pins, and says
// where it is.
var helmBinary = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-n", "helm")
	cmd.Dir = filepath.Join(root, "tools")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	path, err := cmd.Output()
	if err != nil {
		return "", errors.New(stderr.String())
	}
	return strings.TrimSpace(string(path)), nil
})

// helm runs helm and returns what it printed. Its own folders are empty ones.
func helm(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	binary, err := helmBinary()
	if err != nil {
		missing(t, "helm could not be built: "+err.Error())
	}
	cmd := exec.CommandContext(t.Context(), binary, arguments...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var output, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &complaint
	if err := cmd.Run(); err != nil {
		return output.String(), errors.New(complaint.String() + output.String())
	}
	return output.String(), nil
}

// missing skips a test whose tool is not here, but not in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what + "; CI must run this test")
	}
	t.Skip(what)
}

// valuesFiles are the chart's own examples, by name.
func valuesFiles(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(chart + "/ci/*-values.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("only %d values files: %v", len(paths), err)
	}
	files := map[string]string{}
	for _, path := range paths {
		files[strings.TrimSuffix(filepath.Base(path), "-values.yaml")] = path
	}
	return files
}

// render is the chart's objects for values, each as a document.
func render(t *testing.T, values string, more ...string) []document {
	t.Helper()
	arguments := append([]string{"template", "release", chart, "--namespace", "identity", "--kube-version", kubeVersion, "-f", values}, more...)
	output, err := helm(t, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, output)
}

func TestChartLints(t *testing.T) {
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			output, err := helm(t, "lint", "--strict", "--kube-version", kubeVersion, "-f", values, chart)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(output)
		})
	}
}

// What is installed is the package, not the folder.
func TestPackageRendersWhatTheFolderDoes(t *testing.T) {
	dir, values := t.TempDir(), valuesFiles(t)["everything"]
	if _, err := helm(t, "package", chart, "--destination", dir); err != nil {
		t.Fatal(err)
	}
	packed, err := filepath.Glob(dir + "/*.tgz")
	if err != nil || len(packed) != 1 {
		t.Fatalf("%v: %v", packed, err)
	}
	var rendered [2]string
	for i, from := range []string{chart, packed[0]} {
		if rendered[i], err = helm(t, "template", "release", from, "--kube-version", kubeVersion, "-f", values); err != nil {
			t.Fatal(err)
		}
	}
	if rendered[0] != rendered[1] {
		t.Error("the package renders something else than the folder")
	}
	if content, _ := os.ReadFile(packed[0]); len(content) > 64<<10 {
		t.Errorf("the package has %d bytes: it holds what it should not", len(content))
	}
}

func TestChartRefusesBadValues(t *testing.T) {
	minimal := valuesFiles(t)["minimal"]
	tests := map[string]struct {
		set  []string
		says string
	}{
		"a value that does not exist":         {[]string{"--set", "replicas=3"}, "replicas"},
		"a misspelt setting":                  {[]string{"--set", "config.logLevl=INFO"}, "logLevl"},
		"no user pool":                        {[]string{"--set-json", "config.userPoolIds=[]"}, "userPoolIds"},
		"a user pool of another form":         {[]string{"--set", "config.userPoolIds={pool}"}, "userPoolIds"},
		"no app client":                       {[]string{"--set-json", "config.clientIds=[]"}, "clientIds"},
		"no issuer":                           {[]string{"--set", "config.totpIssuer="}, "totpIssuer"},
		"an issuer with a colon":              {[]string{"--set", "config.totpIssuer=a:b"}, "totpIssuer"},
		"an issuer that is too long":          {[]string{"--set", "config.totpIssuer=" + strings.Repeat("a", 65)}, "totpIssuer"},
		"an unknown label":                    {[]string{"--set", "config.accountLabel=name"}, "accountLabel"},
		"an origin with a path":               {[]string{"--set", "config.corsAllowedOrigins={https://a.example/x}"}, "corsAllowedOrigins"},
		"an origin with a wildcard":           {[]string{"--set", "config.corsAllowedOrigins={https://*.example}"}, "corsAllowedOrigins"},
		"a duration without a unit":           {[]string{"--set-string", "config.pendingTTL=15"}, "pendingTTL"},
		"a quota of nothing":                  {[]string{"--set", "config.cognitoWriteRPS=0"}, "cognitoWriteRPS"},
		"an unknown log level":                {[]string{"--set", "config.logLevel=TRACE"}, "logLevel"},
		"a secret in place of its reference":  {[]string{"--set", "secrets.sealKeys=c2VjcmV0"}, "sealKeys"},
		"a reference without a key":           {[]string{"--set", "secrets.sealKeys.name=x"}, "sealKeys"},
		"a secret value beside its reference": {[]string{"--set", "secrets.sealKeys.value=x"}, "sealKeys"},
		"events that nothing signs":           {[]string{"--set", "secrets.eventsURL.name=x,secrets.eventsURL.key=y"}, "eventsSecrets"},
		"secrets that sign nothing":           {[]string{"--set", "secrets.eventsSecrets.name=x,secrets.eventsSecrets.key=y"}, "eventsURL"},
		"Redis without keys to seal with":     {[]string{"--set", "secrets.redisURL.name=x,secrets.redisURL.key=y"}, "sealKeys"},
		"a digest that is none":               {[]string{"--set", "image.digest=latest"}, "digest"},
		"a port that is none":                 {[]string{"--set", "service.port=70000"}, "port"},
		"a disruption budget of zero":         {[]string{"--set", "podDisruptionBudget.maxUnavailable=0"}, "maxUnavailable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			output, err := helm(t, slices.Concat([]string{"template", "release", chart, "--kube-version", kubeVersion, "-f", minimal}, test.set)...)
			if err == nil {
				t.Fatalf("accepted:\n%s", output)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("refused without a word about %s: %v", test.says, err)
			}
		})
	}
}
