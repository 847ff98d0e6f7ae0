package budget

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	contract "mfa-enrollment"
	"mfa-enrollment/test/long"
)

// allowance is how many calls to Cognito a caller may cause: so many at once, and
// then so many a second.
type allowance struct{ once, second float64 }

func (a allowance) String() string {
	switch {
	case a == allowance{}:
		return "none"
	case a.second == 0:
		return fmt.Sprintf("%g", a.once)
	}
	return fmt.Sprintf("%g + %g/s", a.once, a.second)
}

// row is the budget of one kind of caller: for each operation that takes such a
// caller's credential the calls to Cognito, and how many of 40 honest people begin
// within a minute. All who begin finish, and nobody with a code waits longer than
// longestWait.
type row struct {
	caller string
	calls  map[string]allowance // by operationId
	begin  int
}

const (
	people      = 40
	longestWait = 5 * time.Second
)

// budgets is the table. docs/threat-model.md shows it.
func budgets() []row {
	signedIn := func(start, verify, read, change allowance) map[string]allowance {
		return map[string]allowance{"startTotp": start, "verifyTotp": verify, "getMfa": read, "getTotpQr": {}, "setTotpPreference": change}
	}
	signingIn := func(write, answer allowance) map[string]allowance {
		return map[string]allowance{"startTotp": write, "verifyTotp": write, "answerChallenge": answer}
	}
	writes, both, reads := allowance{20, .17}, allowance{40, .34}, allowance{60, 1}
	address := allowance{20, .17}
	return []row{
		{"fresh token", signedIn(both, writes, reads, both), 40},
		{"stale token of somebody with an app", signedIn(reads, reads, reads, reads), 40},
		{"revoked token", signedIn(allowance{10, 0}, allowance{5, 0}, allowance{5, 0}, allowance{5, 0}), 40},
		{"another sign-in of somebody who enrolls", signedIn(both, writes, reads, both), 40},
		{"one account with 100 sign-ins", signedIn(both, writes, reads, both), 40},
		{"100 revoked sign-ins of one account", signedIn(allowance{20, .34}, allowance{10, .17}, allowance{10, .17}, allowance{10, .17}), 40},
		{"made-up sessions from one address", signingIn(address, address), 40},
		{"made-up sessions from a known address", signingIn(address, address), 40},
		{"made-up sessions from one /48", signingIn(allowance{80, .67}, allowance{80, .67}), 40},
		{"made-up sessions from 500 addresses", signingIn(allowance{100, 5}, allowance{120, 24}), 36},
	}
}

// always are the cells that are measured at each run of the tests. LONG=1 measures
// all of them.
var always = map[string]string{
	"revoked token":                         "setTotpPreference",
	"one account with 100 sign-ins":         "startTotp",
	"made-up sessions from a known address": "startTotp",
	"made-up sessions from one /48":         "verifyTotp",
	"made-up sessions from 500 addresses":   "startTotp",
}

func TestNobodyCostsOthersMoreThanTheirBudget(t *testing.T) {
	kinds := map[string]caller{}
	for _, k := range callers() {
		kinds[k.name] = k
	}
	for _, row := range budgets() {
		for operation, calls := range row.calls {
			if !long.Asked() && always[row.caller] != operation {
				continue
			}
			t.Run(row.caller+"/"+operation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { measure(t, kinds[row.caller], operation, calls, row.begin) })
			})
		}
	}
}

// measure lets a caller attack while honest people come.
func measure(t *testing.T, k caller, operation string, calls allowance, begin int) {
	w := newWorld(t, people)
	stop := w.attack(k, operation)
	lives := w.crowd(people)
	took := stop()
	begun, finished, longest := outcome(lives)
	t.Logf("%d calls in %.0f s (%v); %d of %d began within a minute, %d finished, the longest wait with a code was %v",
		w.caused(attacker), took.Seconds(), calls, begun, people, finished, longest)
	if n, most := w.caused(attacker), calls.once+math.Ceil(calls.second*took.Seconds()); float64(n) > most {
		t.Errorf("%d calls to Cognito in %v, at most %g are allowed", n, took, most)
	}
	if begun < begin {
		t.Errorf("%d of %d honest people began within a minute, want %d", begun, people, begin)
	}
	if longest > longestWait {
		t.Errorf("somebody with a code waited %v", longest)
	}
	for i, l := range lives {
		if l.begun > 0 && !l.finished {
			t.Errorf("person %d began and never finished: %s", i, l.last)
		}
	}
}

// operations lists the contract's operations, and whether a bearer token or a
// session calls them.
func operations(t *testing.T) (ids []string, byToken, bySession map[string]bool) {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	byToken, bySession = map[string]bool{}, map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
		for _, o := range spec.Paths.Value(path).Operations() {
			security := spec.Security
			if o.Security != nil {
				security = *o.Security
			}
			open := len(security) == 0
			for _, s := range security {
				byToken[o.OperationID] = byToken[o.OperationID] || len(s) > 0
				open = open || len(s) == 0
			}
			bySession[o.OperationID] = open && o.RequestBody != nil
			if byToken[o.OperationID] || bySession[o.OperationID] {
				ids = append(ids, o.OperationID)
			}
		}
	}
	return ids, byToken, bySession
}

// A new operation has no budget until somebody has thought about it.
func TestEveryOperationHasABudgetForEveryCaller(t *testing.T) {
	ids, byToken, bySession := operations(t)
	kinds := callers()
	if len(ids) < 5 || len(kinds) != len(budgets()) {
		t.Fatalf("%d operations, %d kinds of caller, %d rows", len(ids), len(kinds), len(budgets()))
	}
	for i, row := range budgets() {
		if row.caller != kinds[i].name {
			t.Errorf("row %d is of %q, want %q", i, row.caller, kinds[i].name)
		}
		for _, id := range ids {
			takes := bySession[id]
			if kinds[i].bySigns {
				takes = byToken[id]
			}
			if _, has := row.calls[id]; has != takes {
				t.Errorf("%s, %s: a budget is there: %t, the operation takes such a caller: %t", row.caller, id, has, takes)
			}
			if _, known := requestOf(id, credential{}, 0); !known {
				t.Errorf("%s: nobody knows how to attack it", id)
			}
		}
		if len(row.calls) == 0 {
			t.Errorf("%s has no budget at all", row.caller)
		}
	}
}

func TestTheThreatModelShowsTheBudgets(t *testing.T) {
	page, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	ids, _, _ := operations(t)
	var table strings.Builder
	fmt.Fprintf(&table, "| caller | %s | of 40 people begin |\n|---|%s---|\n", strings.Join(ids, " | "), strings.Repeat("---|", len(ids)))
	for _, row := range budgets() {
		cells := make([]string, len(ids))
		for i, id := range ids {
			cells[i] = "–"
			if calls, has := row.calls[id]; has {
				cells[i] = calls.String()
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %d |\n", row.caller, strings.Join(cells, " | "), row.begin)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/threat-model.md does not hold this table:\n%s", table.String())
	}
}
