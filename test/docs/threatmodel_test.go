package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// theTests lists every test and fuzz target of the repository.
func theTests(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				all[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// rows are the rows of all tables of a page whose first cell matches.
func rows(t *testing.T, page string, first *regexp.Regexp) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.HasPrefix(line, "|") && first.MatchString(cells[0]) {
			all = append(all, cells)
		}
	}
	return all
}

var aTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")

func TestEveryControlOfTheThreatModelNamesATestThatExists(t *testing.T) {
	known := theTests(t)
	threats := rows(t, "docs/threat-model.md", regexp.MustCompile(`^[STRIDE]$`))
	if len(threats) < 30 {
		t.Fatalf("only %d threats were found", len(threats))
	}
	for _, row := range threats {
		if len(row) != 4 {
			t.Errorf("%d cells: %v", len(row), row)
			continue
		}
		named := aTest.FindAllStringSubmatch(row[3], -1)
		if open := strings.HasPrefix(row[2], "**Open**"); open != (len(named) == 0) {
			t.Errorf("a control without a test, or a test without a control: %s", row[1])
		}
	}
	text, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range aTest.FindAllStringSubmatch(string(text), -1) {
		if !known[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
}

// The chapters have so many requirements in each section (ASVS 5.0.0).
func TestEveryLineOfTheASVSChaptersHasAStatus(t *testing.T) {
	sections := map[string]int{
		"6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
		"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
	}
	seen, counts := map[string]bool{}, map[string]int{}
	for _, row := range rows(t, "docs/threat-model.md", regexp.MustCompile(`^[67]\.\d\.\d+$`)) {
		if len(row) != 4 || !slices.Contains([]string{"met", "not applicable", "open"}, row[2]) || row[3] == "" {
			t.Errorf("no status or no reason: %v", row)
		}
		if seen[row[0]] {
			t.Errorf("%s is there twice", row[0])
		}
		if len(row) == 4 && row[2] == "met" && !strings.ContainsAny(row[3], "`#") {
			t.Errorf("%s is met, and nothing shows it", row[0])
		}
		seen[row[0]] = true
		counts[row[0][:3]]++
	}
	if !maps.Equal(counts, sections) {
		t.Errorf("sections are %v, want %v", counts, sections)
	}
}

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9.]+\.[a-z]+/\S+) v\S+$`).FindAllStringSubmatch(string(text), -1) {
		asked = append(asked, m[1])
	}
	var explained []string
	for _, row := range rows(t, "docs/dependencies.md", regexp.MustCompile("^`.*/.*`$")) {
		if len(row) != 3 || row[1] == "" || row[2] == "" {
			t.Errorf("no reason or no replacement: %v", row)
		}
		explained = append(explained, strings.Trim(row[0], "`"))
	}
	slices.Sort(asked)
	slices.Sort(explained)
	for _, module := range asked {
		if !slices.Contains(explained, module) {
			t.Errorf("%s is not explained", module)
		}
	}
	for _, module := range explained {
		if !slices.Contains(asked, module) {
			t.Errorf("%s is explained and not asked for", module)
		}
	}
}
