// Package conformance holds no code but its tests: one suite of flows, written
// against this repository's client of Cognito and the AWS SDK, that runs against
// each thing that speaks Cognito's protocol: cognitotest, cognito-local, and a
// real user pool where somebody names one. README.md says how.
package conformance
