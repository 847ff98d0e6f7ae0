// Package examples_test runs the recipes, and holds the guide for front ends to the
// contract.
package examples_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	contract "mfa-enrollment"
)

// readSources reads what a recipe is made of, so that Go runs the test again
// when any of it changes: npm is a program whose files Go's cache cannot see.
func readSources(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "dist"):
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

func TestGuideForFrontEndsKnowsEveryProblem(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "frontends.md"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	codes := document.Components.Schemas["ProblemCode"].Value.Enum
	if len(codes) == 0 {
		t.Fatal("the contract has no problem codes")
	}
	for _, code := range codes {
		if !bytes.Contains(guide, fmt.Appendf(nil, "`%s`", code)) {
			t.Errorf("docs/frontends.md does not say what to show for %s", code)
		}
	}
}
