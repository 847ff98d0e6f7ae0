package contract_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	contract "mfa-enrollment"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

// run runs a program in a folder and fails the test with what it says.
func run(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "ORVAL_TELEMETRY_DISABLED=1", "DO_NOT_TRACK=1")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// TestGeneratedClientsNarrowByOutcome makes a client with each of the generators
// that people use, and compiles against it what starts an enrollment, reads the QR
// code and narrows by outcome: generators/*.ts under tsc --strict, and Go.
func TestGeneratedClientsNarrowByOutcome(t *testing.T) {
	long.Only(t, "runs five generators")
	if len(contract.OpenAPI) == 0 { // embedded, so that Go runs this again when it changes
		t.Fatal("no contract")
	}
	t.Run("TypeScript", func(t *testing.T) {
		npm := program.Find(t, "npm")
		program.Install(t, "generators")
		for _, generator := range []string{"openapi-typescript", "hey-api", "orval", "kubb"} {
			run(t, "generators", npm, "run", "--silent", "generate:"+generator)
		}
		run(t, "generators", npm, "run", "--silent", "check")
	})
	t.Run("oapi-codegen", func(t *testing.T) {
		folder := t.TempDir()
		source, err := os.ReadFile(filepath.Join("testdata", "oapi-codegen", "enroll.go"))
		if err != nil {
			t.Fatal(err)
		}
		made, enroll := filepath.Join(folder, "client.gen.go"), filepath.Join(folder, "enroll.go")
		if err := os.WriteFile(enroll, source, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, filepath.Join("..", ".."), "go", "tool", "-modfile=tools/apart/go.mod", "oapi-codegen",
			"-config", "test/contract/testdata/oapi-codegen/config.yaml", "-o", made, "openapi.yaml")
		run(t, filepath.Join("..", ".."), "go", "vet", made, enroll)
	})
}
