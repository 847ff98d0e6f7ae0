// Command cognitotest serves the Cognito stand-in of package cognitotest: with its
// demonstration pools, or with those of a file (-pools FILE). COGNITO_ADDR moves it
// from 127.0.0.1:9229, COGNITO_ADMIN_ADDR moves the address that tests steer it by
// from 127.0.0.1:9230. Both are on loopback unless -expose is given.
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
