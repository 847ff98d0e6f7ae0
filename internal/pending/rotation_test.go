package pending

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rotation is the order in which docs/pending.md sets SEAL_KEYS, each step one
// roll-out, beginning with the old key alone.
func rotation(t *testing.T) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/pending.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Rotating the seal keys\n")
	section, _, _ = strings.Cut(section, "\n## ")
	steps := [][]string{{"OLD"}}
	for _, found := range regexp.MustCompile("`SEAL_KEYS=([A-Z,]+)`").FindAllStringSubmatch(section, -1) {
		steps = append(steps, strings.Split(found[1], ","))
	}
	return steps
}

// opened tells whether what a replica with one list of keys seals opens at one
// with another.
func opened(t *testing.T, at, by []string) bool {
	t.Helper()
	keys := map[string][]byte{"OLD": sealKey(1), "NEW": sealKey(2)}
	sealer := func(names []string) *sealer {
		var list [][]byte
		for _, name := range names {
			list = append(list, keys[name])
		}
		return newTestSealer(t, list...)
	}
	_, err := sealer(at).open("name", mustSeal(t, sealer(by), newRig().enrollment("name")))
	return err == nil
}

// During a roll-out replicas of two steps run side by side, and each must open
// what the other seals. The runbook once had the order that fails: of 60 QR codes
// 30 differed.
func TestTheDocumentedRotationLosesNothing(t *testing.T) {
	steps := rotation(t)
	if want := [][]string{{"OLD"}, {"OLD", "NEW"}, {"NEW", "OLD"}, {"NEW"}}; !slices.EqualFunc(steps, want, slices.Equal) {
		t.Fatalf("docs/pending.md rotates by %v, want %v", steps, want)
	}
	for i := range len(steps) - 1 {
		before, after := steps[i], steps[i+1]
		if !opened(t, before, after) {
			t.Errorf("%v does not open what %v seals", before, after)
		}
		// With the last step that is so too, for whatever the new key sealed; what
		// the old one sealed has expired by then.
		if !opened(t, after, before) {
			t.Errorf("%v does not open what %v seals", after, before)
		}
	}
	if opened(t, []string{"OLD"}, []string{"NEW", "OLD"}) {
		t.Error("the new key first at once loses nothing either: this test shows nothing")
	}
	runbook, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(runbook), "\n## MfaPendingEntriesRefused\n")
	if !strings.Contains(section, "pending.md#rotating-the-seal-keys") || strings.Contains(section, "in front of the old") {
		t.Error("the runbook does not leave the order of rotating to docs/pending.md")
	}
}
