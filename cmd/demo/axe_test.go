package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"

	"mfa-enrollment/test/long"
)

// npmFolder holds what the page takes from npm, pinned by a lock file.
const npmFolder = "npm"

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
	if !long.Asked() {
		return
	}
	source, err := os.ReadFile(filepath.Join(npmFolder, "node_modules", "axe-core", "axe.min.js"))
	v.must(err)
	if !ask(v, chromedp.Evaluate[bool](`typeof axe === 'object'`)) {
		v.do(chromedp.Evaluate[chromedp.Void](string(source)))
	}
	// In the middle of a transition a button has neither of its colours.
	v.wait(`look.roots().every((root) => root.getAnimations().every((animation) => !(animation instanceof CSSTransition)))`)
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
