package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

// attack is a token that must be refused, and how.
type attack struct {
	name   string
	token  string
	kind   enroll.Kind
	reason string
}

// invalid lists attacks of the kind InvalidToken that share a reason.
func invalid(reason string, tokens map[string]string) (attacks []attack) {
	for name, token := range tokens {
		attacks = append(attacks, attack{name, token, enroll.InvalidToken, reason})
	}
	return attacks
}

func attacksOnTheForm() []attack {
	genuine := homeKey().token(accessTokenClaims(noon))
	parts := strings.Split(genuine, ".")
	header, payload, signature := parts[0], parts[1], parts[2]
	wrap := func(payload string) string { return compact(homeKey().header(), payload, homeKey().rs256) }
	return append(
		invalid(token.ReasonTooLarge, map[string]string{
			"a megabyte":            strings.Repeat("A", 1<<20),
			"a megabyte of dots":    strings.Repeat(".", 1<<20),
			"signed, beyond 24 KiB": homeKey().token(accessTokenClaims(noon).with("pad", strings.Repeat("x", 18500))),
		}),
		invalid(token.ReasonMalformed, map[string]string{
			"empty":                          "",
			"whitespace":                     " \t\r\n ",
			"one dot":                        ".",
			"two dots":                       "..",
			"four dots":                      "....",
			"one part":                       header,
			"two parts":                      header + "." + payload,
			"four parts":                     genuine + "." + signature,
			"five parts, not encrypted":      genuine + "." + payload + "." + signature,
			"five parts, header with a tail": compact(`{"alg":"RSA-OAEP","enc":"A256GCM"}{}`, "", homeKey().rs256) + ".a.a",
			"six parts":                      genuine + "..." + signature,
			"leading space":                  " " + genuine,
			"trailing newline":               genuine + "\n",
			"newline within the signature":   header + "." + payload + "." + signature[:9] + "\r\n" + signature[9:],
			"trailing garbage":               genuine + "!",
			"trailing NUL":                   genuine + "\x00",
			"still with its scheme":          "Bearer " + genuine,
			"two tokens":                     genuine + "," + genuine,
			"invalid UTF-8":                  "\xff\xfe." + payload + "." + signature,
			"homoglyph":                      strings.Replace(genuine, "e", "\u0435", 1),
			"padded header":                  header + "=." + payload + "." + signature,
			"padded signature":               genuine + "==",
			"standard base64 signature":      header + "." + payload + "." + "+/+/",
			"second spelling of signature":   header + "." + payload + "." + respell(signature),
			"header is no JSON":              compact("alg=RS256", "{}", homeKey().rs256),
			"header is null":                 compact("null", "{}", homeKey().rs256),
			"header is an array":             compact(`["RS256"]`, "{}", homeKey().rs256),
			"header with a tail":             compact(homeKey().header()+"{}", "{}", homeKey().rs256),
			"header cut off":                 compact(`{"alg":"RS256","kid":"home-key"`, "{}", homeKey().rs256),
			"payload empty":                  wrap(""),
			"payload is no JSON":             wrap("iss=" + homeIssuer),
			"payload is an array":            wrap("[" + accessTokenClaims(noon).json() + "]"),
			"payload is a string":            wrap(`"{}"`),
			"payload cut off":                wrap(strings.TrimSuffix(accessTokenClaims(noon).json(), "}")),
			"payload with a tail":            wrap(accessTokenClaims(noon).json() + "{}"),
			"payload is a token":             wrap(genuine),
			"payload nested very deep":       wrap(`{"a":` + strings.Repeat("[", 5000) + "}"),
		})...,
	)
}

// respell changes the bits of a base64 text's last character that carry nothing.
func respell(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last|1])
}

func attacksOnTheAlgorithm() []attack {
	payload := accessTokenClaims(noon).json()
	header := func(alg string) string { return `{"kid":"home-key","alg":` + alg + `}` }
	unsigned := func(string) []byte { return nil }
	der, err := x509.MarshalPKIXPublicKey(&homeKey().private.PublicKey)
	if err != nil {
		panic(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	tokens := map[string]string{
		"HS256 with the public key's PEM":      compact(header(`"HS256"`), payload, signWith(jwt.SigningMethodHS256, asPEM)),
		"HS256 with the public key's DER":      compact(header(`"HS256"`), payload, signWith(jwt.SigningMethodHS256, der)),
		"HS256 with the modulus":               compact(header(`"HS256"`), payload, signWith(jwt.SigningMethodHS256, homeKey().private.N.Bytes())),
		"HS256 with an empty secret":           compact(header(`"HS256"`), payload, signWith(jwt.SigningMethodHS256, []byte{})),
		"ES256":                                compact(header(`"ES256"`), payload, signWith(jwt.SigningMethodES256, ec)),
		"RS384, truly signed":                  compact(header(`"RS384"`), payload, signWith(jwt.SigningMethodRS384, homeKey().private)),
		"RS512, truly signed":                  compact(header(`"RS512"`), payload, signWith(jwt.SigningMethodRS512, homeKey().private)),
		"PS256, truly signed":                  compact(header(`"PS256"`), payload, signWith(jwt.SigningMethodPS256, homeKey().private)),
		"no alg":                               compact(`{"kid":"home-key"}`, payload, homeKey().rs256),
		"alg by another case of its name":      compact(`{"kid":"home-key","ALG":"RS256"}`, payload, homeKey().rs256),
		"none, with the signature kept":        compact(header(`"none"`), payload, homeKey().rs256),
		"an encrypted token's, in three parts": compact(`{"kid":"home-key","alg":"RSA-OAEP","enc":"A256GCM"}`, payload, unsigned),
	}
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `""`, `"rs256"`, `"RS256 "`, `"RS256\u0000"`,
		`null`, `0`, `true`, `["RS256"]`, `{"RS256":"RS256"}`} {
		tokens["alg "+alg] = compact(header(alg), payload, unsigned)
	}
	return invalid(token.ReasonNotRS256, tokens)
}

func attacksOnTheKey() []attack {
	genuine := accessTokenClaims(noon)
	kid := func(kid string) string {
		return compact(`{"kid":`+kid+`,"alg":"RS256"}`, genuine.json(), homeKey().rs256)
	}
	truly := strings.Split(homeKey().token(genuine), ".")
	raised := strings.Split(homeKey().token(genuine.with("username", "root")), ".")
	return append(append(
		invalid(token.ReasonUnknownKey, map[string]string{
			"unknown kid":                      kid(`"no-such-key"`),
			"kid as a path":                    kid(`"../../../../dev/null"`),
			"kid as SQL":                       kid(`"x' UNION SELECT 'secret' -- "`),
			"kid as a URL":                     kid(`"http://127.0.0.1/jwks.json"`),
			"kid as a command":                 kid(`"home-key|id"`),
			"kid with a NUL":                   kid(`"home-key\u0000"`),
			"kid in capitals":                  kid(`"HOME-KEY"`),
			"kid of 4,000 characters":          kid(`"` + strings.Repeat("k", 4000) + `"`),
			"another pool's key, by its kid":   sisterKey().token(genuine),
			"a stranger's key, by its own kid": strayKey().token(genuine),
		}),
		invalid(token.ReasonMalformed, map[string]string{
			"no kid":              compact(`{"alg":"RS256"}`, genuine.json(), homeKey().rs256),
			"kid empty":           kid(`""`),
			"kid null":            kid(`null`),
			"kid an array":        kid(`["home-key"]`),
			"kid a number":        kid(`0`),
			"kid an object":       kid(`{"home-key":"home-key"}`),
			"kid in another case": compact(`{"KID":"home-key","alg":"RS256"}`, genuine.json(), homeKey().rs256),
		})...),
		invalid(token.ReasonBadSignature, map[string]string{
			"another pool's key under this one's kid": compact(homeKey().header(), genuine.json(), sisterKey().rs256),
			"this pool's key under another's issuer": compact(sisterKey().header(),
				genuine.with("iss", sisterIssuer).json(), homeKey().rs256),
			"a stranger's key under this one's kid": compact(homeKey().header(), genuine.json(), strayKey().rs256),
			"payload exchanged":                     truly[0] + "." + raised[1] + "." + truly[2],
			"no signature":                          truly[0] + "." + truly[1] + ".",
			"signature cut short":                   truly[0] + "." + truly[1] + "." + truly[2][:340],
			"signature of zeros":                    truly[0] + "." + truly[1] + "." + base64url(make([]byte, 256)),
			"RS384 signature under RS256": compact(homeKey().header(), genuine.json(),
				signWith(jwt.SigningMethodRS384, homeKey().private)),
			"a forged ID token is not told that it is one": compact(homeKey().header(), genuine.with("token_use", "id").json(), strayKey().rs256),
			"a forged expired one is not told either":      compact(homeKey().header(), genuine.with("exp", 1).json(), strayKey().rs256),
		})...)
}

func attacksOnTheHeader() []attack {
	payload := accessTokenClaims(noon).json()
	embedded, err := json.Marshal(strayKey().jwk())
	if err != nil {
		panic(err)
	}
	plus := func(field string, key signingKey) string {
		return compact(`{"kid":"home-key","alg":"RS256",`+field+`}`, payload, key.rs256)
	}
	return append(
		invalid(token.ReasonForbiddenHeader, map[string]string{
			"jwk, signed with it":         plus(`"jwk":`+string(embedded), strayKey()),
			"jwk, truly signed":           plus(`"jwk":`+string(embedded), homeKey()),
			"jku":                         plus(`"jku":"http://127.0.0.1:1/jwks.json"`, strayKey()),
			"jku null":                    plus(`"jku":null`, homeKey()),
			"x5u":                         plus(`"x5u":"http://127.0.0.1:1/cert.pem"`, strayKey()),
			"x5c":                         plus(`"x5c":["MIIB"]`, strayKey()),
			"crit":                        plus(`"crit":["exp"]`, homeKey()),
			"crit empty":                  plus(`"crit":[]`, homeKey()),
			"unencoded payload, RFC 7797": plus(`"b64":false,"crit":["b64"]`, homeKey()),
		}),
		invalid(token.ReasonMalformed, map[string]string{
			"alg twice, the good one last":  compact(`{"alg":"none","kid":"home-key","alg":"RS256"}`, payload, homeKey().rs256),
			"alg twice, the good one first": compact(`{"alg":"RS256","kid":"home-key","alg":"none"}`, payload, homeKey().rs256),
			"alg twice, once escaped":       compact(`{"\u0061lg":"none","kid":"home-key","alg":"RS256"}`, payload, homeKey().rs256),
			"kid twice":                     compact(`{"kid":"stray-key","kid":"home-key","alg":"RS256"}`, payload, homeKey().rs256),
		})...,
	)
}

func attacksOnTheClaims() []attack {
	genuine := accessTokenClaims(noon)
	all := func(edit func(claims) claims) string { return homeKey().token(edit(genuine)) }
	twice := func(field string) string {
		return compact(homeKey().header(), strings.TrimSuffix(genuine.json(), "}")+","+field+"}", homeKey().rs256)
	}
	attacks := append(
		invalid(token.ReasonForeignIssuer, map[string]string{
			"a pool that is not configured":      homeKey().token(genuine.with("iss", alienIssuer)),
			"the issuer with a slash":            homeKey().token(genuine.with("iss", homeIssuer+"/")),
			"the issuer in capitals":             homeKey().token(genuine.with("iss", strings.ToUpper(homeIssuer))),
			"the issuer over http":               homeKey().token(genuine.with("iss", strings.Replace(homeIssuer, "https", "http", 1))),
			"a host that ends in the right one":  homeKey().token(genuine.with("iss", strings.Replace(homeIssuer, "//", "//evil.", 1))),
			"the updated issuer, another region": homeKey().token(genuine.with("iss", strings.ReplaceAll(homeUpdated, ".eu-central-1.", ".eu-west-1."))),
			"the updated issuer of an alien":     homeKey().token(genuine.with("iss", strings.Replace(alienIssuer, "//", "//issuer-", 1))),
			"not even signed":                    compact(homeKey().header(), genuine.with("iss", alienIssuer).json(), strayKey().rs256),
		}),
		invalid(token.ReasonForeignClient, map[string]string{
			"a client that is not configured": homeKey().token(genuine.with("client_id", "3h57kf5cpq17m0eml12EXAMPLE")),
			"a client in another case":        homeKey().token(genuine.with("client_id", strings.ToLower(homeClient))),
			"two clients in one":              homeKey().token(genuine.with("client_id", homeClient+","+sisterClient)),
		})...,
	)
	missing, malformed := map[string]string{"payload null": compact(homeKey().header(), "null", homeKey().rs256)}, map[string]string{
		"token_use twice":            twice(`"token_use":"access"`),
		"sub twice":                  twice(`"sub":"root"`),
		"sub twice, once escaped":    twice(`"\u0073ub":"root"`),
		"exp twice":                  twice(`"exp":4102444800`),
		"a stray claim twice":        twice(`"jti":"x"`),
		"username of 129 characters": homeKey().token(genuine.with("username", strings.Repeat("é", 129))),
		"sub of 129 characters":      homeKey().token(genuine.with("sub", strings.Repeat("s", 129))),
	}
	for _, name := range []string{"iss", "sub", "username", "client_id", "token_use", "exp"} {
		missing["no "+name] = all(func(c claims) claims { return c.without(name) })
	}
	for _, name := range []string{"iss", "sub", "username", "client_id", "token_use"} {
		missing[name+" empty"] = all(func(c claims) claims { return c.with(name, "") })
	}
	for _, name := range []string{"iss", "sub", "username", "client_id", "token_use", "scope"} {
		for _, value := range []any{nil, 1, true, []string{"access"}, map[string]any{}} {
			malformed[fmt.Sprintf("%s is %v (%T)", name, value, value)] = all(func(c claims) claims { return c.with(name, value) })
		}
	}
	// What the client-credentials grant gives: an app, and nobody who could enroll.
	machine := accessTokenClaims(noon).without("username", "origin_jti", "event_id").with("sub", homeClient).with("scope", "orders/read")
	attacks = append(attacks, invalid(token.ReasonNobody, map[string]string{
		"of an app":         homeKey().token(machine),
		"of an unknown app": homeKey().token(machine.with("client_id", "machine").with("sub", "machine")),
	})...)
	attacks = append(attacks, invalid(token.ReasonMissingClaim, missing)...)
	return append(attacks, invalid(token.ReasonMalformed, malformed)...)
}

func attacksOnTheTimes() []attack {
	genuine := accessTokenClaims(noon)
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	attacks := append(
		invalid(token.ReasonExpired, map[string]string{
			"a minute ago":                 homeKey().token(genuine.with("exp", at(-time.Minute))),
			"in 1970":                      homeKey().token(genuine.with("exp", 0)),
			"and a second exp in capitals": homeKey().token(genuine.with("exp", 0).with("EXP", at(time.Hour))),
			"and not valid yet either":     homeKey().token(genuine.with("exp", 0).with("nbf", at(time.Hour))),
		}),
		invalid(token.ReasonNotYetValid, map[string]string{
			"nbf in 61 seconds":       homeKey().token(genuine.with("nbf", at(61*time.Second))),
			"iat in 61 seconds":       homeKey().token(genuine.with("iat", at(61*time.Second))),
			"auth_time in 61 seconds": homeKey().token(genuine.with("auth_time", at(61*time.Second))),
			"auth_time in 9999":       homeKey().token(genuine.with("auth_time", 253402300799)),
		})...,
	)
	malformed := map[string]string{}
	for _, name := range []string{"exp", "nbf", "iat", "auth_time"} {
		for _, value := range []string{
			"1e300", "1e10", "1E10", "1773489600.5", "1773489600.0", "-1", "-0", "-1e300", "253402300800",
			"9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999999",
			`"1773489600"`, `""`, "null", "true", "[1773489600]", `{"$date":1773489600}`,
		} {
			malformed[name+" "+value] = homeKey().token(genuine.with(name, json.RawMessage(value)))
		}
	}
	return append(attacks, invalid(token.ReasonMalformed, malformed)...)
}

func wrongKindsOfToken() []attack {
	genuine := accessTokenClaims(noon)
	idToken := genuine.without("client_id", "username", "scope").
		with("token_use", "id").with("aud", homeClient).with("cognito:username", "ada").with("email", "ada@example.com")
	encrypted := func(header string) string {
		return strings.Join([]string{base64url([]byte(header)), "a2V5", "aXY", "Y2lwaGVydGV4dA", "dGFn"}, ".")
	}
	wrongUse := func(name, token, reason string) attack { return attack{name, token, enroll.WrongTokenUse, reason} }
	scope := func(name string, c claims) attack {
		return attack{name, homeKey().token(c), enroll.InsufficientScope, token.ReasonMissingScope}
	}
	return []attack{
		wrongUse("the ID token", homeKey().token(idToken), token.ReasonIDToken),
		wrongUse("the ID token of an app that is not configured", homeKey().token(idToken.with("aud", "other")), token.ReasonIDToken),
		wrongUse("and access, by another case of the name", homeKey().token(idToken.with("TOKEN_USE", "access")), token.ReasonIDToken),
		wrongUse("the refresh token", encrypted(`{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`), token.ReasonRefreshToken),
		wrongUse("an access token nested in an encrypted one", encrypted(`{"cty":"JWT","enc":"A128CBC-HS256","alg":"dir","kid":"home-key"}`), token.ReasonRefreshToken),
		wrongUse("a use that is not documented", homeKey().token(genuine.with("token_use", "refresh")), token.ReasonOtherTokenUse),
		wrongUse("access in capitals", homeKey().token(genuine.with("token_use", "ACCESS")), token.ReasonOtherTokenUse),
		wrongUse("access with a space", homeKey().token(genuine.with("token_use", "access ")), token.ReasonOtherTokenUse),
		scope("no scope", genuine.without("scope")),
		scope("an empty scope", genuine.with("scope", "")),
		scope("other scopes", genuine.with("scope", "openid email profile")),
		scope("a scope that ends in it", genuine.with("scope", "xaws.cognito.signin.user.admin")),
		scope("a scope that begins with it", genuine.with("scope", "aws.cognito.signin.user.admin.read")),
		scope("a scope in another case", genuine.with("scope", "AWS.cognito.signin.user.admin")),
		scope("scopes joined by a comma", genuine.with("scope", "openid,aws.cognito.signin.user.admin")),
		scope("the scope by another name", genuine.without("scope").with("scp", "aws.cognito.signin.user.admin")),
	}
}
