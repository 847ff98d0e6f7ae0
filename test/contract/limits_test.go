package contract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	contract "mfa-enrollment"
)

// rowsOf are the cells of the tables in a section of docs/contract.md, without
// their heads.
func rowsOf(t *testing.T, section string) (rows [][]string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "contract.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	head := true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case strings.HasPrefix(line, "|---"):
			head = false
		case !head:
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// limitOf is a schema's limit as docs/contract.md writes it.
func limitOf(s *openapi3.Schema) string {
	var parts []string
	if s.MaxLength != nil {
		parts = append(parts, fmt.Sprintf("%d to %d", s.MinLength, *s.MaxLength))
	}
	if s.Pattern != "" {
		parts = append(parts, "`"+s.Pattern+"`")
	}
	for _, value := range s.Enum {
		parts = append(parts, fmt.Sprint(value))
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

var aRange = regexp.MustCompile(`^(\d+) to (\d+)`)

// TestNoLimitIsTighterThanCognitos holds the table of docs/contract.md to
// openapi.yaml, and our side of it to Cognito's.
func TestNoLimitIsTighterThanCognitos(t *testing.T) {
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, row := range rowsOf(t, "Limits") {
		documented[strings.ReplaceAll(row[0], "`", "")] = row
	}
	for _, o := range operationsOf(spec) {
		if o.RequestBody == nil {
			continue
		}
		for name, property := range o.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
			s := property.Value
			if s.Type.Is("boolean") {
				continue
			}
			row, ok := documented[name+" of "+o.OperationID]
			if !ok {
				row, ok = documented[name]
			}
			if !ok {
				t.Errorf("%s of %s has no row", name, o.OperationID)
				continue
			}
			if want := limitOf(s); row[1] != want {
				t.Errorf("%s of %s: the page says %s, the contract %s", name, o.OperationID, row[1], want)
			}
			ours, cognitos := aRange.FindStringSubmatch(row[1]), aRange.FindStringSubmatch(row[2])
			if ours == nil || cognitos == nil {
				continue
			}
			if count(ours[1]) > count(cognitos[1]) || count(ours[2]) < count(cognitos[2]) {
				t.Errorf("%s: %s is tighter than Cognito's %s", name, row[1], row[2])
			}
		}
	}
}

func count(text string) int {
	n, _ := strconv.Atoi(text) // digits alone (aRange)
	return n
}
