package qr

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pquerna/otp"

	"mfa-enrollment/test/program"
)

// reading is what a library makes of a URI.
type reading struct {
	Library, Secret, Issuer, Account, Error string
	Digits, Period                          int
}

// reservedLabels gives a hundred pairs of an issuer and an account name, in which every printable character of ASCII
// that is not unreserved in a URI stands alone, doubled, in the middle and at the ends.
func reservedLabels() (labels [][2]string) {
	for _, c := range "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}" {
		s := string(c)
		labels = append(labels,
			[2]string{"Ex" + s + "ample", "ada@example.com"},
			[2]string{"Example", "ada" + s + "1@example.com"},
			[2]string{s + "Example " + s, s + s + "ada" + s},
		)
	}
	return append(labels,
		[2]string{"A&B", "ada+totp@example.com"}, [2]string{"50%25 off", "%3Fada%00"}, [2]string{"C#", "secret=EVIL&issuer=EVIL"},
		[2]string{"R+D", "a?secret=EVIL"}, [2]string{"period=60", "digits=8"}, [2]string{"Ünïcode + 字", "Ω?&#%"},
		[2]string{"https://example.com/?a=b&c=d#e", "otpauth://totp/a:b?secret=EVIL"}, [2]string{"%26", "%23"}, [2]string{"a;b", "a;b"},
		[2]string{"Example (100%)", "\"ada\" <ada@example.com>"}, [2]string{"AT&T", "ada&charles"}, [2]string{"Which?", "what?"},
		[2]string{"../..", "./ada"}, [2]string{"Example + Sons", "ada + charles"}, [2]string{"#1", "#1"}, [2]string{"100 %", "100 %"},
	)
}

func TestAppsReadLabelsWithReservedCharacters(t *testing.T) {
	const whole = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSQ" // 32 bytes, and no bit more
	var keys []Key
	var uris []string
	for _, label := range reservedLabels() {
		key, err := NewKey(label[0], label[1], whole)
		if err != nil {
			t.Fatalf("%q: %v", label, err)
		}
		keys, uris = append(keys, key), append(uris, uriOf(t, key))
	}
	if len(uris) < 100 {
		t.Errorf("%d labels, want 100", len(uris))
	}
	t.Run("pquerna/otp", func(t *testing.T) {
		var all [][]reading
		for _, uri := range uris {
			r := reading{Library: "pquerna/otp"}
			if k, err := otp.NewKeyFromURL(uri); err != nil {
				r.Error = err.Error()
			} else {
				r = reading{r.Library, k.Secret(), k.Issuer(), k.AccountName(), "", k.Digits().Length(), int(k.Period())} //nolint:gosec // Thirty.
			}
			all = append(all, []reading{r})
		}
		haveRead(t, keys, all)
	})
	t.Run("otpauth, url-otpauth and otplib", func(t *testing.T) {
		program.Install(t, "apps")
		haveRead(t, keys, readBy(t, uris, program.Find(t, "node"), "read.mjs"))
	})
	t.Run("pyotp", func(t *testing.T) {
		for _, python := range []string{"/usr/bin/python3", "python3"} { // Debian's, which python3-pyotp is for, comes first
			if exec.CommandContext(t.Context(), python, "-c", "import pyotp").Run() == nil {
				haveRead(t, keys, readBy(t, uris, python, "read.py"))
				return
			}
		}
		program.Missing(t, "pyotp is not installed (python3-pyotp)")
	})
}

// haveRead fails unless every library found what the key holds.
func haveRead(t *testing.T, keys []Key, all [][]reading) {
	t.Helper()
	read := map[string]int{}
	for i, key := range keys {
		for _, got := range all[i] {
			want := reading{got.Library, key.Secret, key.Issuer, key.AccountName, "", 6, 30}
			if got != want {
				t.Errorf("%s reads %q, %q as %q, %q, secret kept: %v %s", got.Library, key.Issuer, key.AccountName, got.Issuer, got.Account, got.Secret == key.Secret, got.Error)
				continue
			}
			read[got.Library]++
		}
	}
	t.Logf("read whole, of %d: %v", len(keys), read)
}

// readBy gives the URIs to a program in the folder apps.
func readBy(t *testing.T, uris []string, interpreter, script string) (all [][]reading) {
	t.Helper()
	input, err := json.Marshal(uris)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(filepath.Join("apps", script)); err != nil { // so that Go's cache knows of it
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), interpreter, script)
	run.Dir, run.Stdin = "apps", bytes.NewReader(input)
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(out, &all); err != nil || len(all) != len(uris) {
		t.Fatalf("%d readings of %d: %v", len(all), len(uris), err)
	}
	return all
}
