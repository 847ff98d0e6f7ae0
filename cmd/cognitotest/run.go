package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// run serves until ctx ends, and says on stdout where and what, then each call.
// It returns the exit code: 2 for arguments, 1 for what kept it from serving.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) int {
	if len(args) > 0 {
		_, _ = fmt.Fprintln(stdout, "cognitotest takes no arguments; COGNITO_ADDR is where it listens")
		return 2
	}
	if err := serve(ctx, cmp.Or(getenv("COGNITO_ADDR"), "127.0.0.1:9229"), stdout); err != nil {
		_, _ = fmt.Fprintln(stdout, "cognitotest:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, addr string, stdout io.Writer) error {
	listener, err := cognitotest.Listen(addr)
	if err != nil {
		return fmt.Errorf("COGNITO_ADDR: %w", err)
	}
	pools := cognitotest.DemoPools()
	standIn, err := cognitotest.New(cognitotest.Options{
		Pools:  pools,
		Logger: slog.New(slog.NewTextHandler(stdout, nil)),
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	_, _ = fmt.Fprintf(stdout, "A stand-in for Amazon Cognito, for tests and demonstrations, at http://%s\n", listener.Addr())
	for _, p := range pools {
		for _, c := range p.Clients {
			_, _ = fmt.Fprintf(stdout, "  pool %s (MFA %s), client %s, secret %q\n", p.ID, p.MFA, c.ID, c.Secret)
		}
	}
	_, _ = fmt.Fprintln(stdout, "  users ada, grace and linus, password Correct-Horse-1")

	server := &http.Server{Handler: standIn, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
