package qr

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
)

// seed is another one in every run, and logged: go test ./internal/qr -seed N repeats what a run has drawn.
var seed = flag.Uint64("seed", rand.Uint64(), "the seed of what the tests draw at random")

// random gives the numbers of one test, and of one of its streams.
func random(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	t.Logf("-seed %d", *seed)
	return rand.New(rand.NewPCG(*seed, stream))
}

const (
	digits    = "0123456789"
	capitals  = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	printable = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ "
	secret    = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW"
)

func pick(r *rand.Rand, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// randomLabel gives up to so many characters of a script, or of all of them.
func randomLabel(r *rand.Rand, longest int) string {
	scripts := []string{
		printable, printable,
		"abcdefghijklmnopqrstuvwxyz@.",
		"äöüßéèñçøåłşžÆŒ ",
		"абвгдежзийклмнопрстуфхцчшщъыьэюяАБВ ",
		"中文字符认证器账户日本語かなカナ한국어",
		"😀🔐👩🏽‍💻🇨🇭👨‍👩‍👧",
	}
	scripts = append(scripts, strings.Join(scripts, ""))
	script := []rune(scripts[r.IntN(len(scripts))])
	label := make([]rune, 1+r.IntN(longest))
	for i := range label {
		label[i] = script[r.IntN(len(script))]
	}
	return string(label)
}

// randomKey gives a key with labels of up to 64 and 128 characters.
func randomKey(t *testing.T, r *rand.Rand) Key {
	t.Helper()
	for {
		k, err := NewKey(randomLabel(r, MaxIssuer), randomLabel(r, MaxAccountName), pick(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 52))
		if err == nil { // not a label of colons and spaces alone
			return k
		}
	}
}

func uriOf(t testing.TB, k Key) string {
	t.Helper()
	uri, err := k.URI()
	if err != nil {
		t.Fatal(err)
	}
	return uri
}
