package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
	"mfa-enrollment/test/world"
)

// blocks are the fenced blocks of a language on docs/lost-phone.md.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/lost-phone.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(page), "```"+language+"\n")[1:] {
		block, _, closed := strings.Cut(part, "```")
		if !closed {
			t.Fatalf("a block is not closed: %s", part)
		}
		all = append(all, block)
	}
	return all
}

func TestThePolicyForALostPhoneGrantsTwoActions(t *testing.T) {
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(blocks(t, "json")[0]), &policy); err != nil {
		t.Fatal(err)
	}
	if got := policy.Statement[0].Action; len(policy.Statement) != 1 || !slices.Equal(got, []string{"cognito-idp:AdminUserGlobalSignOut", "cognito-idp:AdminDeleteSoftwareToken"}) {
		t.Errorf("it grants %v", got)
	}
}

// helpDesk runs the page's commands for somebody of a pool of the stand-in.
type helpDesk struct {
	*world.World
	aws, curl, shell string
}

// run runs blocks of the page, with the pool and the person of the test in place of
// the examples, and returns what they print.
func (h *helpDesk) run(pool, person string, blocks ...string) (printed string, err error) {
	h.T.Helper()
	text := strings.NewReplacer(
		"POOL=eu-west-1_AbCdEfGhI", "POOL="+pool, "PERSON=ada", "PERSON="+person,
		"https://cognito-idp.$AWS_REGION.amazonaws.com/", h.Endpoint+"/",
		"aws cognito-idp ", h.aws+" cognito-idp --endpoint-url "+h.Endpoint+" ",
		`eval "$(aws configure export-credentials --format env)"`, ":", // They are in the environment.
		"curl ", h.curl+" ",
	).Replace(strings.Join(blocks, "\n"))
	cmd := exec.CommandContext(h.T.Context(), h.shell, "-eu", "-c", text)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_SESSION_TOKEN=any", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "HOME="+h.T.TempDir())
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// The page's commands take somebody from an app on a lost phone to a new one, in a
// pool that requires a second factor and in one that does not.
func TestALostPhoneHasAWayBack(t *testing.T) {
	long.Only(t, "each command of the AWS CLI takes a second")
	sh := blocks(t, "sh")
	if len(sh) != 5 {
		t.Fatalf("the page has %d blocks of commands, want: names, sign-out, removal by the CLI and by curl, look", len(sh))
	}
	names, signOut, byCLI, byCurl, look := sh[0], sh[1], sh[2], sh[3], sh[4]
	h := &helpDesk{
		World: world.New(t, map[string]string{"COGNITO_CLIENT_IDS": world.OptionalClient + "," + requiredClient, "COGNITO_CLIENT_SECRETS": ""}),
		aws:   program.Find(t, "/usr/bin/aws", "aws"), curl: program.Find(t, "curl"), shell: program.Find(t, "sh"),
	}
	// CLIs from August 2026 on know the removal.
	if out, _ := h.run(world.Optional, "nobody", names, byCLI); !strings.Contains(out, "UserNotFoundException") {
		t.Logf("the AWS CLI here does not know AdminDeleteSoftwareToken")
		byCLI = byCurl
	}
	ways := map[string]string{world.Optional: byCLI, world.Required: byCurl}
	for pool, client := range map[string]string{world.Optional: world.OptionalClient, world.Required: requiredClient} {
		t.Run(pool, func(t *testing.T) {
			const person = "grace"
			lost := h.setUp(t, pool, client, person)
			token := h.Token(pool, client, person)
			if s := h.SignInTo(client, person); s.ChallengeName != "SOFTWARE_TOKEN_MFA" {
				t.Fatalf("with the app Cognito asks for %q", s.ChallengeName)
			}
			removal, err := h.run(pool, person, names, signOut, ways[pool])
			if err != nil {
				t.Fatalf("%v: %s", err, removal)
			}
			if left, err := h.run(pool, person, names, look); err != nil || left != "None" {
				t.Errorf("left: %q, %v", left, err)
			}
			// The sign-in of before sets up nothing, although no app is left that would
			// take a step-up.
			if r := h.Begin(token, nil); r.Status != 401 {
				t.Errorf("a token from before: %d %s", r.Status, r.Body)
			}
			h.Clock.Advance(time.Minute)
			found := h.setUp(t, pool, client, person)
			if found == lost || h.Cognito.TOTPSecret(pool, person) != found || !h.Cognito.MFAEnabled(pool, person) {
				t.Error("the new app does not count")
			}
		})
	}
}

// requiredClient is the app client of the required pool that has no secret.
const requiredClient = "demo-required-web"

// setUp sets an app up as the pool has it: signed in by the password alone, or in
// the middle of the sign-in.
func (h *helpDesk) setUp(t *testing.T, pool, client, person string) (secret string) {
	t.Helper()
	s, start, verify := h.SignInTo(client, person), world.Object{}, world.Object{}
	token := s.AuthenticationResult.AccessToken
	switch {
	case pool == world.Optional && token == "":
		t.Fatalf("the password alone does not sign in: %q", s.ChallengeName)
	case pool == world.Required && s.ChallengeName != "MFA_SETUP":
		t.Fatalf("Cognito asks for %q, want MFA_SETUP", s.ChallengeName)
	case pool == world.Required:
		start["session"], verify["username"], verify["clientId"] = s.Session, person, client
	}
	r := h.Begin(token, start)
	if r.Status != 201 {
		t.Fatalf("start: %d %s", r.Status, r.Body)
	}
	begun := r.JSON(t)
	if next, ok := begun["session"]; ok {
		verify["session"] = next
	}
	secret = fmt.Sprint(begun["secret"])
	verify["code"] = h.CodeAt(secret, 0)
	if r := h.Verify(token, verify); r.Status != 200 {
		t.Fatalf("verify: %d %s", r.Status, r.Body)
	}
	return secret
}
