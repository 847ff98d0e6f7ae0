package cognitotest_test

import (
	"os"
	"regexp"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

// TestTheReadmeListsTheOperations holds README.md's table to the one in
// operations.go.
func TestTheReadmeListsTheOperations(t *testing.T) {
	readme := must[[]byte](t)(os.ReadFile("README.md"))
	var listed []cognitotest.Operation
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| (yes|) \|`).FindAllSubmatch(readme, -1) {
		listed = append(listed, cognitotest.Operation{Name: string(row[1]), Signed: string(row[2]) == "yes"})
	}
	have := cognitotest.Operations()
	if len(listed) != len(have) {
		t.Errorf("README.md lists %d operations, there are %d", len(listed), len(have))
	}
	for i := range min(len(listed), len(have)) {
		if listed[i] != have[i] {
			t.Fatalf("README.md lists %+v, operations.go has %+v", listed[i], have[i])
		}
	}
}
