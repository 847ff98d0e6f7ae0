package handlers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mfa-enrollment/internal/enroll"
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

// TestTheClientSendsPeopleToSignInWhereTheTextDoes holds signInHelps, by which the
// element and the hook go back to sign-in, to the table of problems: nobody signs in
// again because of a mistake of the page's.
func TestTheClientSendsPeopleToSignInWhereTheTextDoes(t *testing.T) {
	type problem struct {
		Code    string `json:"code"`
		Variant string `json:"variant,omitempty"`
	}
	var asked []problem
	var want []bool
	for kind, row := range problems {
		details := map[string]string{"": row.detail}
		for reason, words := range row.variants {
			details[variantOf(reason)] = words.detail
		}
		for variant, detail := range details {
			asked = append(asked, problem{string(kind), variant})
			want = append(want, strings.Contains(strings.ToLower(detail), "sign in") || kind == enroll.UserNotFound)
		}
	}
	input, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(filepath.Join(clientFolder, "problem.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(path); err != nil { // so that Go's cache knows of it
		t.Fatal(err)
	}
	script := `const { signInHelps } = await import(process.argv[1]); console.log(JSON.stringify(JSON.parse(process.argv[2]).map(signInHelps)))`
	output, err := exec.CommandContext(t.Context(), program.Find(t, "node"), "--input-type=module", "-e", script, path, string(input)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	if err := json.Unmarshal(output, &got); err != nil || len(got) != len(want) {
		t.Fatalf("%s: %v", output, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v: signInHelps says %v, the text %v", asked[i], got[i], want[i])
		}
	}
}
