package handlers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mfa-enrollment/test/program"
)

// catalogue is a file of messages: each is a text, or one text for each plural form.
type catalogue map[string]any

// catalogues reads every catalogue of a package in web/, by its language.
func catalogues(t *testing.T, folder string) map[string]catalogue {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "messages", "*.js"))
	if err != nil || len(files) < 4 {
		t.Fatalf("catalogues: %v, %v", files, err)
	}
	all := map[string]catalogue{}
	for _, file := range files {
		if _, err := os.ReadFile(file); err != nil { // so that Go's cache knows of it
			t.Fatal(err)
		}
		script := `console.log(JSON.stringify((await import(process.argv[1])).default))`
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		output, err := exec.CommandContext(t.Context(), program.Find(t, "node"), "--input-type=module", "-e", script, path).Output()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var c catalogue
		if err := json.Unmarshal(output, &c); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".js")] = c
	}
	return all
}

// clientFolder is the client's, whose catalogues have what problems say.
const clientFolder = "../web/client"

// TestCataloguesSayEveryProblem holds the catalogues to the table of problems: the
// English one word for word, where no number stands in the text.
func TestCataloguesSayEveryProblem(t *testing.T) {
	all := catalogues(t, clientFolder)
	for kind, row := range problems {
		texts := map[string]string{string(kind): row.detail}
		for reason, words := range row.variants {
			id := string(kind) + "." + variantOf(reason)
			if words.detail == "" { // made of the skew, which has a text for each direction
				texts[id+".fast"], texts[id+".slow"] = "", ""
				continue
			}
			texts[id] = words.detail
		}
		for id, detail := range texts {
			for lang, c := range all {
				_, base := c[string(kind)]
				if _, ok := c[id]; !ok && (detail != row.detail || !base) {
					t.Errorf("%s has no %s", lang, id)
				}
			}
			english, ok := all["en"][id].(string)
			english = strings.ReplaceAll(english, " {requestId}", "")
			if ok && detail != "" && english != detail {
				t.Errorf("%s: the catalogue says %q, the service %q", id, english, detail)
			}
		}
	}
}
