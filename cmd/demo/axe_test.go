package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// npmFolder holds what the page takes from npm, pinned by a lock file.
const npmFolder = "npm"

// fromNPM returns the folder of an npm package, and installs it first where that
// is not done yet. Where there is no npm, CI fails and a developer's machine skips.
func fromNPM(t *testing.T, name string) string {
	t.Helper()
	folder := filepath.Join(npmFolder, "node_modules", name)
	if installed(folder) == locked(t, name) {
		return folder
	}
	npm, err := exec.LookPath("npm")
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal("npm is not installed, and CI must have it")
	case err != nil:
		t.Skip("npm is not installed: " + name + " is left out")
	}
	command := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = npmFolder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	return folder
}

// installed is the version of the package in a folder, or empty.
func installed(folder string) string {
	var p struct{ Version string }
	content, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil || json.Unmarshal(content, &p) != nil {
		return ""
	}
	return p.Version
}

// locked is the version of a package that the lock file asks for.
func locked(t *testing.T, name string) string {
	t.Helper()
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	content, err := os.ReadFile(filepath.Join(npmFolder, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &lock); err != nil {
		t.Fatal(err)
	}
	version := lock.Packages["node_modules/"+name].Version
	if version == "" {
		t.Fatalf("the lock file has no %s", name)
	}
	return version
}

// axeReport is what axe-core says of a page.
type axeReport struct {
	Violations []axeRule
	Incomplete []axeRule
	Passes     []axeRule
}

type axeRule struct {
	ID    string
	Help  string
	Nodes []struct {
		Target  []any
		Message string `json:"failureSummary"`
	}
}

// accessible runs every rule of axe-core on what the page shows: none may be
// violated. What axe-core cannot decide by itself is counted.
func (v *visitor) accessible(screen string) {
	v.Helper()
	source, err := os.ReadFile(filepath.Join(npmFolder, "node_modules", "axe-core", "axe.min.js"))
	v.must(err)
	if !ask(v, chromedp.Evaluate[bool](`typeof axe === 'object'`)) {
		v.do(chromedp.Evaluate[chromedp.Void](string(source)))
	}
	report := ask(v, chromedp.Evaluate[axeReport](`axe.run(document, { resultTypes: ['violations', 'incomplete', 'passes'] })`, chromedp.EvalAwaitPromise))
	if len(report.Passes) == 0 {
		v.Fatalf("%s: axe-core checked nothing", screen)
	}
	for _, rule := range report.Violations {
		for _, node := range rule.Nodes {
			v.Errorf("%s: %s (%s) at %v: %s", screen, rule.Help, rule.ID, node.Target, node.Message)
		}
	}
	var undecided []string
	for _, rule := range report.Incomplete {
		for _, node := range rule.Nodes {
			undecided = append(undecided, fmt.Sprintf("%s %v", rule.ID, node.Target))
		}
	}
	v.Logf("axe-core: %-34s %d violations, %d rules passed, %d undecided %s",
		screen+":", len(report.Violations), len(report.Passes), len(undecided), strings.Join(undecided, "; "))
}
