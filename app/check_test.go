package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/test/world"
)

const checkPassword = "Correct-Horse-Battery"

// checked is what `api check` returns and prints for a world's stand-in.
func checked(t *testing.T, w *world.World, change map[string]string) (status int, printed string) {
	t.Helper()
	env := unreachable(map[string]string{
		"COGNITO_ENDPOINT": w.Endpoint, "COGNITO_USER_POOL_IDS": world.Optional + "," + world.Required, "COGNITO_CLIENT_IDS": world.OptionalClient,
	})
	maps.Copy(env, change)
	var out world.Buffer
	status = app.Check(t.Context(), world.Environ(env), w.Clock.Now, &out)
	return status, out.String()
}

func TestCheckOfWhatIsRight(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, world.Crowd(1))
	server := world.StartRedis(t)
	server.User(redistest.Rights(t, "one server", checkPassword))
	settings := server.Settings()
	settings["REDIS_URL"] = server.URL("mfa-enrollment:" + checkPassword + "@").Reveal()
	settings["TLS_CERT_FILE"], settings["TLS_KEY_FILE"] = certificateFiles(t, w.Clock.Now().Add(90*24*time.Hour))
	status, printed := checked(t, w, settings)
	if status != 0 || strings.Contains(printed, "wrong") {
		t.Errorf("status %d:\n%s", status, printed)
	}
	for _, line := range []string{
		"ok       configuration: no fault", "ok       keys of us-east-1_Optional: fetched", "ok       keys of us-east-1_Required: fetched",
		"ok       clock: Cognito's is ", "ok       Redis: it answers", "ok       certificate: it ends ",
	} {
		if !strings.Contains(printed, line) {
			t.Errorf("nothing begins with %q in:\n%s", line, printed)
		}
	}
	for _, operation := range []string{"GetUser", "AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference", "RespondToAuthChallenge", "InitiateAuth"} {
		if n := w.Cognito.Calls(operation); n != 0 {
			t.Errorf("%s was called %d times", operation, n)
		}
	}
	for key := range server.Values() {
		if key != "mfa-enrollment:{1}:probe" || server.Admin.PTTL(t.Context(), key).Val() > time.Second {
			t.Errorf("%s was written", key)
		}
	}
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
}

// Each right of the documented line is asked for: without any one of them the
// check says which.
func TestCheckNamesTheRightThatIsMissing(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, world.Crowd(1))
	server := world.StartRedis(t)
	rule := redistest.Rights(t, "one server", checkPassword)
	settings := server.Settings()
	settings["REDIS_URL"] = server.URL("mfa-enrollment:" + checkPassword + "@").Reveal()
	for _, right := range slices.Concat(rule[slices.Index(rule, "-@all")+1:], []string{"keys of pending"}) {
		t.Run(right, func(t *testing.T) {
			less, command := slices.Clone(rule), strings.TrimPrefix(right, "+")
			if right == "keys of pending" {
				less[slices.Index(less, "~mfa-enrollment:*")] = "~mfa-enrollment:{1}:[lqpe][iurv]*"
				command = "eval"
			} else {
				less = append(less, "-"+command)
			}
			server.User(slices.Insert(less, 3, "reset"))
			status, printed := checked(t, w, settings)
			if status != 2 || !strings.Contains(printed, "wrong    Redis: Redis refuses "+command+" (NOPERM)") || strings.Count(printed, "Redis refuses") > 2 {
				t.Errorf("status %d:\n%s", status, printed)
			}
		})
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, world.Crowd(1))
	server := world.StartRedis(t)
	sealed := server.Settings()["SEAL_KEYS"]
	full := world.StartRedis(t)
	full.Admin.ConfigSet(t.Context(), "maxmemory", "1")
	expired, expiredKey := certificateFiles(t, w.Clock.Now().Add(-time.Hour))
	for name, test := range map[string]struct {
		change map[string]string
		says   string
	}{
		"a fault":                {map[string]string{"PENDING_TTL": "900"}, "wrong    configuration: PENDING_TTL: 900 is not a duration such as 15m"},
		"a pool that is none":    {map[string]string{"COGNITO_USER_POOL_IDS": "us-east-1_Nobody"}, "wrong    keys of us-east-1_Nobody: Cognito knows no such pool"},
		"no way out":             {map[string]string{"COGNITO_ENDPOINT": "http://127.0.0.1:1"}, "wrong    keys of us-east-1_Optional: Cognito was not reached"},
		"Redis that is not here": {map[string]string{"REDIS_URL": "redis://127.0.0.1:1", "SEAL_KEYS": sealed}, "wrong    Redis: Redis is out of reach (connection refused)"},
		"another password":       {map[string]string{"REDIS_URL": server.URL("default:x@").Reveal(), "SEAL_KEYS": sealed}, "wrong    Redis: Redis refuses set (WRONGPASS)"},
		"Redis without memory":   {map[string]string{"REDIS_URL": full.URL("").Reveal(), "SEAL_KEYS": sealed}, "wrong    Redis: Redis refuses set (OOM): Redis is out of memory"},
		"an old certificate":     {map[string]string{"TLS_CERT_FILE": expired, "TLS_KEY_FILE": expiredKey}, "wrong    certificate: it has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "another password" {
				server.User([]string{"ACL", "SETUSER", "default", ">" + checkPassword})
				defer server.User([]string{"ACL", "SETUSER", "default", "nopass"})
			}
			status, printed := checked(t, w, test.change)
			if status != 2 || !strings.Contains(printed, test.says) {
				t.Errorf("status %d, want %q in:\n%s", status, test.says, printed)
			}
		})
	}
	if status, printed := checked(t, w, map[string]string{"REDIS_URI": "redis://x"}); status != 0 || !strings.Contains(printed, "warning  configuration: REDIS_URI") {
		t.Errorf("a warning alone: status %d:\n%s", status, printed)
	}
}

func TestCheckOfAMachineWhoseClockIsOff(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, world.Crowd(1))
	env := unreachable(map[string]string{"COGNITO_ENDPOINT": w.Endpoint, "COGNITO_USER_POOL_IDS": world.Optional})
	var out world.Buffer
	slow := func() time.Time { return w.Clock.Now().Add(-75 * time.Second) }
	if status := app.Check(t.Context(), world.Environ(env), slow, &out); status != 2 || !strings.Contains(out.String(), "wrong    clock: Cognito's is +7") {
		t.Errorf("status %d:\n%s", status, out.String())
	}
}

func TestCheckIsACommand(t *testing.T) {
	t.Parallel()
	var out, errs world.Buffer
	if status := app.Main(t.Context(), []string{"api", "check"}, nil, &out, &errs); status != 2 || !strings.Contains(out.String(), "TOTP_ISSUER is required") {
		t.Errorf("status %d: %s%s", status, out.String(), errs.String())
	}
}
