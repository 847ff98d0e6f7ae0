package conformance

// cognitoLocalLacks is what cognito-local 5.3.0 does not do, or not as Cognito
// does. The reasons are what its program shows (lib/targets).
func cognitoLocalLacks() lacks {
	const (
		listsAtOnce = "lists the app, and asks for it, as soon as it is verified"
		replaces    = "a new secret takes the place of the old one at once, not when it is verified"
		noReuse     = "forgets which codes were used"
		noSessions  = "gives sessions at sign-in and looks at none that comes back"
		noChecks    = "reads tokens without looking at their signature, their kind or their life"
		noHash      = "never looks at SECRET_HASH"
		noSetUp     = "turns away whoever has no factor where the pool requires one: it never gives MFA_SETUP, and knows no session in AssociateSoftwareToken and VerifySoftwareToken"
		noApp       = "nobody gets an app in a pool that requires one, so that there is none to go on with"
	)
	return lacks{
		"enrolling by token": {
			"the secret has 32 bytes":                           "its secrets have 20 bytes",
			"the refusal is an EnableSoftwareTokenMFAException": "answers a wrong code with CodeMismatchException, which the client takes as well",
			"a verified app is not on yet":                      listsAtOnce,
			"a sign-in by password still gives tokens":          listsAtOnce,
		},
		"signing in with a code": {
			"a session that nobody gave is refused":                    noSessions,
			"the answer holds three tokens, their life and their type": "does not say how long the tokens live, nor of which type they are",
			"a session is used once":                                   noSessions,
			"a code is used once":                                      noReuse,
		},
		"signing in with the code that enrolled": {"it is used up": noReuse},
		"a new phone":                            {"the old phone signs in meanwhile": replaces},
		"tokens": {
			"a forged token gets no secret":                  noChecks,
			"a forged token verifies nothing":                noChecks,
			"a forged token switches nothing":                noChecks,
			"a forged token reads nothing":                   noChecks,
			"text that is no token is refused":               "answers what is no token with InvalidParameterException",
			"the ID token is refused":                        "looks for the app client of an ID token, which names none: ResourceNotFoundException",
			"a token is refused after a sign-out everywhere": "has no GlobalSignOut",
			"a token is refused after an hour":               "its clock cannot be set",
		},
		"a client secret": {
			"a sign-in without SECRET_HASH is refused":      noHash,
			"a sign-in with a wrong SECRET_HASH is refused": noHash,
			"an answer without one is refused":              noHash,
			"an answer with a wrong one names the username": noHash,
		},
		"two factors": {
			"a factor that the person lacks is refused": "answers with InvalidParameterException instead of MFAMethodNotFoundException",
			"the preferred one is asked for at once":    "asks which one to use whenever there are two, preferred or not",
		},
		"an administrator": {
			"an operation without a signature is refused": "looks at no signature",
			"the factor is switched off for the person":   "has no AdminSetUserMFAPreference",
			"a sign-out everywhere ends the tokens":       "has no AdminUserGlobalSignOut",
			"a disabled person cannot sign in":            "lets disabled people sign in",
			"an enabled one can again":                    "the app is still on, so that the sign-in asks for its code",
		},
		"wrong codes without end": {
			"they lock the person out":                          "counts no failures",
			"the right code is taken when the lock-out is over": "its clock cannot be set",
		},
		"enrolling during the sign-in": {
			"the sign-in asks to set an app up":                                noSetUp,
			"a secret comes with the next session":                             noSetUp,
			"a session that nobody gave is refused":                            noSetUp,
			"a session is used once":                                           noSetUp,
			"the first session verifies nothing":                               noSetUp,
			"the challenge cannot be answered without an app":                  noSetUp,
			"a wrong code is refused":                                          noSetUp,
			"a wrong code leaves the session as it was":                        noSetUp,
			"a session lives for three minutes":                                noSetUp,
			"the right code after a wrong one gives the session that finishes": noSetUp,
			"the answer gives tokens":                                          noSetUp,
			"the app is on and preferred":                                      noApp,
			"the next sign-in takes its code":                                  noApp,
			"switching off is not refused":                                     noApp,
			"the next sign-in asks to set an app up again":                     noApp,
			"a new phone is set up by token":                                   noApp,
			"the app is still on":                                              noApp,
		},
	}
}
