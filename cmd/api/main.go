// Command api is the service. It is configured by environment variables; the
// README lists them. `api check` looks at the configuration and at what it names,
// and says what to do about each; `api healthcheck` asks a running one whether it
// is alive; `api version` says which build this is.
package main

import (
	"context"
	"os"

	"mfa-enrollment/app"
)

func main() {
	os.Exit(app.Main(context.Background(), os.Args, os.Environ(), os.Stdout, os.Stderr))
}
