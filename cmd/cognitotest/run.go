package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// settings are what the command line and the environment say.
type settings struct {
	addr, adminAddr string
	pools           string // a file; empty for the demonstration's pools
	expose          bool
}

// run serves until ctx ends, and says on stdout where and what, then each call.
// It returns the exit code: 2 for arguments, 1 for what kept it from serving.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) int {
	s := settings{
		addr:      cmp.Or(getenv("COGNITO_ADDR"), "127.0.0.1:9229"),
		adminAddr: cmp.Or(getenv("COGNITO_ADMIN_ADDR"), "127.0.0.1:9230"),
	}
	flags := flag.NewFlagSet("cognitotest", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.StringVar(&s.pools, "pools", "", "a `file` of pools, in JSON; the demonstration's pools without it")
	flags.BoolVar(&s.expose, "expose", false, "listen on addresses that are not loopback: whoever reaches them can have tokens of every user")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stdout, "Usage of cognitotest, with COGNITO_ADDR (127.0.0.1:9229) and COGNITO_ADMIN_ADDR (127.0.0.1:9230) in the environment:")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(stdout, "cognitotest takes no argument %q\n", flags.Arg(0))
		return 2
	}
	if err := serve(ctx, s, stdout); err != nil {
		_, _ = fmt.Fprintln(stdout, "cognitotest:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, s settings, stdout io.Writer) error {
	state, err := s.state()
	if err != nil {
		return err
	}
	api, err := s.listen("COGNITO_ADDR", s.addr)
	if err != nil {
		return err
	}
	admin, err := s.listen("COGNITO_ADMIN_ADDR", s.adminAddr)
	if err != nil {
		return errors.Join(err, api.Close())
	}
	standIn, err := cognitotest.New(cognitotest.Options{
		Pools:  []cognitotest.Pool{},
		Logger: slog.New(slog.NewTextHandler(stdout, nil)),
	})
	if err == nil {
		err = s.inFile(standIn.Load(state))
	}
	if err != nil {
		return errors.Join(err, api.Close(), admin.Close())
	}
	describe(stdout, api, admin, state.Pools)

	failed := make(chan error, 2)
	for _, on := range []struct {
		net.Listener
		handler http.Handler
	}{{api, standIn}, {admin, standIn.Admin()}} {
		server := &http.Server{Handler: on.handler, ReadHeaderTimeout: 5 * time.Second}
		context.AfterFunc(ctx, func() { _ = server.Close() })
		go func() { failed <- server.Serve(on.Listener) }()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// state reads the pools to begin with.
func (s settings) state() (cognitotest.State, error) {
	if s.pools == "" {
		return cognitotest.State{Pools: cognitotest.DemoPools()}, nil
	}
	text, err := os.ReadFile(s.pools)
	if err != nil {
		return cognitotest.State{}, fmt.Errorf("-pools: %w", err)
	}
	state, err := cognitotest.ReadState(text)
	return state, s.inFile(err)
}

// inFile names the file that an error of the pools comes from.
func (s settings) inFile(err error) error {
	if err == nil || s.pools == "" {
		return err
	}
	return fmt.Errorf("-pools %s: %s", s.pools, strings.TrimPrefix(err.Error(), "cognitotest: "))
}

// listen listens on an address, on loopback unless it was told otherwise.
func (s settings) listen(variable, addr string) (net.Listener, error) {
	listen := cognitotest.Listen
	if s.expose {
		listen = cognitotest.ListenAnywhere
	}
	listener, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	return listener, nil
}

// describe says where the stand-in is and whom it knows.
func describe(w io.Writer, api, admin net.Listener, pools []cognitotest.Pool) {
	_, _ = fmt.Fprintf(w, "A stand-in for Amazon Cognito, for tests and demonstrations, at http://%s\n", api.Addr())
	_, _ = fmt.Fprintf(w, "  codes, clock, faults and state at http://%s\n", admin.Addr())
	for _, p := range pools {
		for _, c := range p.Clients {
			_, _ = fmt.Fprintf(w, "  pool %s (MFA %s), client %s, secret %q\n", p.ID, cmp.Or(p.MFA, cognitotest.MFAOff), c.ID, c.Secret)
		}
		for _, u := range p.Users {
			_, _ = fmt.Fprintf(w, "  pool %s, user %s, password %s\n", p.ID, u.Username, u.Password)
		}
	}
}
