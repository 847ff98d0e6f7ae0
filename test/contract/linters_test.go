package contract_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	contract "mfa-enrollment"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

// TestLintersFindNothing runs spectral (all rules) and redocly (recommended-strict)
// over openapi.yaml; the licence is the owner's to choose.
func TestLintersFindNothing(t *testing.T) {
	long.Only(t, "runs two linters of Node's")
	if len(contract.OpenAPI) == 0 { // embedded, so that Go runs this again when it changes
		t.Fatal("no contract")
	}
	npm, folder := program.Find(t, "npm"), filepath.Join("..", "..", "tools", "openapi")
	program.Install(t, folder)
	run := exec.CommandContext(t.Context(), npm, "run", "--silent", "lint")
	run.Dir = folder
	run.Env = append(run.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
