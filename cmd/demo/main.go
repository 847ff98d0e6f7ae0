// Command demo is the whole service on one machine: the same application as
// cmd/api, a stand-in for Amazon Cognito in the same process, and a page that
// walks through it. It needs no AWS account and listens on loopback alone.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Getenv, os.Stdout, os.Stderr))
}
