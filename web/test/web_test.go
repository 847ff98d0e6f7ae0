// Package web_test checks the npm packages of web/ with Node.
package web_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

// node runs a program of Node's in this folder.
func node(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program.Find(t, name), args...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
	return output
}

// readSources reads the packages, so that Go runs a test again when any of it
// changes: Go's cache cannot see what Node reads.
func readSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		_, err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestClient(t *testing.T) {
	readSources(t)
	node(t, "node", "--test", "client.test.mjs")
}

// preserve lets the packages, which are links in node_modules, find one another.
const preserve = "--preserve-symlinks"

func TestCatalogues(t *testing.T) {
	readSources(t)
	program.Install(t, ".")
	node(t, "node", preserve, "--preserve-symlinks-main", "--test", "catalogues.test.mjs")
}

func TestHook(t *testing.T) {
	readSources(t)
	program.Install(t, ".")
	node(t, "node", preserve, "--preserve-symlinks-main", "--test", "hook.test.mjs")
}

func TestTypes(t *testing.T) {
	long.Only(t, "runs the compiler of TypeScript")
	readSources(t)
	program.Install(t, ".")
	node(t, "node", "node_modules/typescript/bin/tsc", "-p", ".")
}

func TestTypesAreThoseOfTheContract(t *testing.T) {
	long.Only(t, "runs the compiler of TypeScript")
	readSources(t)
	if _, err := os.ReadFile(filepath.Join("..", "..", "openapi.yaml")); err != nil {
		t.Fatal(err)
	}
	program.Install(t, ".")
	made := filepath.Join(t.TempDir(), "api.d.ts")
	node(t, "node", "node_modules/openapi-typescript/bin/cli.js", "../../openapi.yaml", "--output", made, "--default-non-nullable", "false")
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "client", "api.d.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("web/client/api.d.ts is not what openapi.yaml says: npm run generate in web/test")
	}
}
