// Package cognitotest is a stand-in for Amazon Cognito user pools that runs
// inside the test process: an [http.Handler] that speaks Cognito's AWS JSON 1.1
// protocol closely enough that the AWS SDKs and Amplify work against it
// unmodified. It keeps everything in memory, takes its clock and its randomness
// from outside, and can be told to fail, to be slow and to refuse calls in the
// ways Cognito does.
//
// It is for tests and demonstrations only. It must never face a network: it
// hands out tokens for built-in users and prints nothing about who asked.
// README.md says where it departs from Cognito.
package cognitotest
