// Command api is the service. It is configured by environment variables; the
// README lists them.
package main

import (
	"context"
	"os"

	"mfa-enrollment/internal/app"
)

func main() {
	os.Exit(app.Run(context.Background(), os.Getenv, os.Stdout, os.Stderr))
}
