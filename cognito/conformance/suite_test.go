package conformance

import (
	"context"
	"errors"
	"testing"
	"time"
)

// target is something that speaks Cognito's protocol.
type target struct {
	name     string
	region   string
	endpoint string // empty: AWS's own for the region
	now      func() time.Time
	// advance moves the clock on; nil where the clock cannot be set.
	advance func(time.Duration)
	// account gives somebody who can sign in by password and has no factor on,
	// for one flow. It reports false where there is nobody of that kind.
	account func(*testing.T, kind) (account, bool)
	// after leaves the account to the next flow; nil where each has its own.
	after func(*testing.T, *person)
	lacks lacks
}

// kind is what a flow needs around the person.
type kind string

const (
	optional   kind = "pool with optional MFA"
	required   kind = "pool that requires MFA"
	withSecret kind = "app client with a secret in a pool with optional MFA"
	// administered is never had at AWS: the suite has no credentials, and the flow
	// deletes the person.
	administered kind = "administrator of a pool with optional MFA"
	withPhone    kind = "user with a phone number in a pool that sends text messages"
)

// account is whom a flow is tried with.
type account struct {
	pool, client       string
	clientSecret       string // empty: the app client has none
	username, password string
}

// lacks says what a target cannot do and why: by flow, by step. Each of these
// steps is tried all the same, and fails the test when it works.
type lacks map[string]map[string]string

// flow is a sequence of steps. The steps share one person, and each begins where
// the one before it ended.
type flow struct {
	name  string
	kind  kind
	given []do // what happened before; it must succeed everywhere
	steps []step
}

// step is one thing that Cognito does. The error says in what way the target
// does something else.
type step struct {
	name string
	try  do
}

type do func(*person, context.Context) error

// counts are the steps of a run by their end.
type counts struct{ passed, lacking, untried int }

// run tries every flow on a target. A step that fails ends its flow.
func run(t *testing.T, on *target) {
	n := &counts{}
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) { f.run(t, on, n) })
	}
	t.Logf("%s: %d steps pass, %d are lacking, %d were not tried", on.name, n.passed, n.lacking, n.untried)
}

func (f flow) run(t *testing.T, on *target, n *counts) {
	who, ok := on.account(t, f.kind)
	if !ok {
		n.untried += len(f.steps)
		t.Skipf("%s has no %s here", on.name, f.kind)
	}
	p := newPerson(on, who)
	if on.after != nil {
		defer on.after(t, p)
	}
	for _, do := range f.given {
		if err := do(p, t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range f.steps {
		went := t.Run(s.name, func(t *testing.T) {
			n.report(t, s.try(p, t.Context()), on.lacks[f.name][s.name])
		})
		if left := len(f.steps) - i - 1; !went && left > 0 {
			n.untried += left
			t.Fatalf("the next %d steps were not tried", left)
		}
	}
}

// verdict is what came of a step, held against the list of what is lacking.
type verdict string

const (
	passes     verdict = "passes"
	fails      verdict = "fails"
	isLacking  verdict = "is lacking"
	worksAgain verdict = "works, and is listed as lacking"
)

func judge(err error, lack string) verdict {
	switch {
	case lack != "" && err == nil:
		return worksAgain
	case lack != "":
		return isLacking
	case err != nil:
		return fails
	default:
		return passes
	}
}

// report ends the step's test by its verdict.
func (n *counts) report(t *testing.T, err error, lack string) {
	switch v := judge(err, lack); v {
	case passes:
		n.passed++
	case isLacking:
		n.lacking++
		t.Skipf("it %s: %s (%v)", v, lack, err)
	case worksAgain:
		t.Errorf("it %s: %s", v, lack)
	default:
		t.Error(err)
	}
}

// TestListsNameSteps finds steps that share a name and lists of what is lacking
// that name none.
func TestListsNameSteps(t *testing.T) {
	known := map[string]map[string]bool{}
	for _, f := range flows() {
		if known[f.name] != nil {
			t.Errorf("two flows are called %q", f.name)
		}
		known[f.name] = map[string]bool{}
		for _, s := range f.steps {
			if known[f.name][s.name] {
				t.Errorf("%q has two steps called %q", f.name, s.name)
			}
			known[f.name][s.name] = true
		}
	}
	for name, list := range map[string]lacks{"cognito-local": cognitoLocalLacks(), "a real user pool": userPoolLacks()} {
		for f, steps := range list {
			for s, reason := range steps {
				if !known[f][s] || reason == "" {
					t.Errorf("%s: no such step, or no reason: %q, %q", name, f, s)
				}
			}
		}
	}
}

// TestListsAreHeldTrue shows what becomes of a step that is listed and works, of
// one that is listed and does not, and of one that nobody expects to fail.
func TestListsAreHeldTrue(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		err  error
		lack string
		want verdict
	}{
		{nil, "", passes},
		{broken, "", fails},
		{broken, "a reason", isLacking},
		{nil, "a reason", worksAgain},
	} {
		if got := judge(c.err, c.lack); got != c.want {
			t.Errorf("error %v, listed %q: it %s; want: it %s", c.err, c.lack, got, c.want)
		}
	}
}
