// Command demo is the whole service on one machine: the same application as
// cmd/api, a stand-in for Amazon Cognito in the same process, and a page that
// walks through it. It needs no AWS account and listens on loopback alone.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Getenv, os.Stdout, os.Stderr))
}
