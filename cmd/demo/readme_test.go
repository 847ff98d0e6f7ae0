package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"mfa-enrollment/test/program"
)

// What the README tells its reader to type first is typed here.
func TestTheREADMEsFirstCommands(t *testing.T) {
	for _, name := range []string{"bash", "curl", "sed"} {
		program.Find(t, name)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 1 {
		t.Fatalf("%d shell blocks in README.md", len(blocks))
	}
	d := startDemo(t, nil)
	script := strings.NewReplacer("127.0.0.1:8080", d.app.Addr(), "127.0.0.1:9229", d.standIn.Addr().String()).Replace(string(blocks[0][1]))
	out, err := exec.CommandContext(t.Context(), "bash", "-ec", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got, shown map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, after, _ := strings.Cut(string(readme), "```json\n")
	text, _, _ := strings.Cut(after, "```")
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(shown) {
		t.Errorf("the reply has members %v, the README shows %v", got, shown)
	}
	for name, value := range shown {
		switch name {
		case "secret", "otpauthUri", "qrCode", "expiresAt", "expiresIn":
			if got[name] == "" || got[name] == nil {
				t.Errorf("the reply has no %s", name)
			}
		default:
			if got[name] != value {
				t.Errorf("%s is %v, the README says %v", name, got[name], value)
			}
		}
	}
}
