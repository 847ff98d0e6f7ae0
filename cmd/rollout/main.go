// Command rollout rehearses the day on which a company turns MFA on: people
// arrive, scan, mistype, click twice, reload, and do as Retry-After tells them,
// through the service, and beside it the same people with pages that call
// Cognito directly. Everything runs in this process and on loopback, against a
// stand-in for Amazon Cognito with its quota. docs/rollout.md is about it.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
