package handlers

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	contract "mfa-enrollment"
	"mfa-enrollment/internal/enroll"
)

// said is what the service says of a problem by the name of its example in
// openapi.yaml: the code, a dot and the variant where there is one.
func said(t *testing.T, name string) map[string]any {
	t.Helper()
	code, variant, _ := strings.Cut(name, ".")
	e := &enroll.Error{Kind: enroll.Kind(code), MaxAge: 15 * time.Minute, RetryAfter: 12 * time.Second}
	switch {
	case code == string(enroll.InvalidRequest):
		e.Fields = []enroll.Field{{Name: "code", Reason: "must be six digits"}}
	case variant == variantClock:
		e.ClockSkew = -2 * time.Minute
	case variant == variantClockHours:
		e.ClockSkew = time.Hour
	}
	for reason := range problems[e.Kind].variants {
		if variantOf(reason) == variant {
			e.Reason = reason
		}
	}
	_, body, _ := strings.Cut(written(t, e), "{")
	var document map[string]any
	if err := json.Unmarshal([]byte("{"+body), &document); err != nil {
		t.Fatal(err)
	}
	document["requestId"] = "2f1c7a9e0b5d4c3f"
	return document
}

// TestExamplesAreWhatTheServiceSays holds every problem example of openapi.yaml to
// the table of problems, word for word, and wants one for every code and variant
// that an operation can answer with.
func TestExamplesAreWhatTheServiceSays(t *testing.T) {
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for kind, row := range problems {
		if kind == notFound || kind == methodNotAllowed { // outside the operations
			continue
		}
		missing[string(kind)] = true
		for reason := range row.variants {
			missing[string(kind)+"."+variantOf(reason)] = true
		}
	}
	for path, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				media := response.Value.Content["application/problem+json"]
				if media == nil {
					continue
				}
				if len(media.Examples) == 0 {
					t.Errorf("%s %s has no example", path, status)
				}
				for name, example := range media.Examples {
					want := said(t, name)
					if strconv.Itoa(int(want["status"].(float64))) != status {
						t.Errorf("%s: the example of %s is of status %v", path, name, want["status"])
					}
					delete(missing, name)
					if got := example.Value.Value; !reflect.DeepEqual(asJSON(t, got), want) {
						t.Errorf("%s: the example reads\n%v, the service says\n%v", name, asJSON(t, got), want)
					}
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("without an example: %v", slices.Sorted(maps.Keys(missing)))
	}
}

func asJSON(t *testing.T, v any) (out any) {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(encoded, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// developersWords are what people who set an app up have no use for: they belong in
// hint.
var developersWords = regexp.MustCompile(`(?i)user pool|\bpool\b|operator|token|app client|cognito|scope|\bheader|lambda|json|claim|\bbearer|\bsession|\bcontract|credential|enrollment|quota|\bstatus\b|\bMFA\b|TOTP|KiB|\bAPI\b|exception|replica|endpoint|signature|issuer|openapi|\bclient\b|\bserver\b`)

func TestDetailsAreForPeople(t *testing.T) {
	for kind, row := range problems {
		texts := slices.Collect(maps.Values(row.variants))
		for _, words := range append(texts, row.text) {
			if found := developersWords.FindString(words.detail); found != "" {
				t.Errorf("%s: %q is no word for people: %s", kind, found, words.detail)
			}
			if words.hint == "" {
				t.Errorf("%s has no hint", kind)
			}
		}
		if row.detail == "" {
			t.Errorf("%s says nothing", kind)
		}
	}
	for _, skew := range []time.Duration{time.Minute, time.Hour} {
		if found := developersWords.FindString(clockDetail(skew)); found != "" {
			t.Errorf("%q is no word for people", found)
		}
	}
}
