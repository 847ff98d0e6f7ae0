package cognitotest

// softwareToken is what a pool knows of a user's authenticator app.
type softwareToken struct {
	// verified is the secret that counts, in base32; empty before the first
	// enrollment is finished.
	verified string
	// pending is the secret of the latest AssociateSoftwareToken. It replaces
	// the verified one when it is verified, not before.
	pending string
	// device is the name that VerifySoftwareToken gave the app.
	device string
}
