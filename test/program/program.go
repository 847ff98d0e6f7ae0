// Package program finds the programs that some tests need beside Go, such as
// Node, Chromium or Prometheus. A machine may lack them: then the test is skipped
// and says so. With CI=true it fails. Tests alone import this package.
package program

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Find is the path of the first of these programs that is installed.
func Find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, strings.Join(names, " or ")+" is not installed")
	return ""
}

// Install installs in a folder what its package-lock.json says, unless that was
// done before: it leaves a copy of the file that it installed in node_modules. It
// needs npm and, the first time, the package registry.
func Install(t testing.TB, folder string) {
	t.Helper()
	npm := Find(t, "npm")
	wanted, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	receipt := filepath.Join(folder, "node_modules", ".installed.json")
	if installed, err := os.ReadFile(receipt); err == nil && bytes.Equal(installed, wanted) {
		return
	}
	command := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		Missing(t, "npm ci: "+err.Error()+"\n"+string(out))
	}
	if err := os.WriteFile(receipt, wanted, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Missing skips a test for what the machine lacks, and fails it with CI=true.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what + ", and CI must run this test")
	}
	t.Skip(what)
}
