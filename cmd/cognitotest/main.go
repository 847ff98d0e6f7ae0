// Command cognitotest serves the Cognito stand-in of package cognitotest with its
// demonstration pools, on loopback only. It takes no arguments; COGNITO_ADDR
// moves it from 127.0.0.1:9229.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	os.Exit(code)
}
