package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
)

// run starts the stand-in and the service, and ends with ctx. ADDR, ADMIN_ADDR
// and COGNITO_ADDR move the three addresses, which must stay on loopback.
func run(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	d, err := start(ctx, getenv, slog.New(slog.NewJSONHandler(stderr, nil)))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	_, _ = fmt.Fprintf(stdout, welcome, d.app.Addr(), d.app.AdminAddr(), d.standIn.Addr())
	return d.wait(ctx)
}

const welcome = `
The page and the API:      http://%s
Metrics, health:           http://%s/metrics
The Cognito stand-in:      http://%s

Users ada, grace and linus, password Correct-Horse-1, in two user pools:
us-east-1_Optional (client demo-optional) and us-east-1_Required (clients
demo-required, secret demo-secret, and demo-required-web without a secret).
Stop with Ctrl-C; nothing is kept.
`

// demo is the running demonstration.
type demo struct {
	app     *app.App
	pools   *cognitotest.Server
	standIn net.Listener
	cognito *http.Server
}

func start(ctx context.Context, getenv func(string) string, logger *slog.Logger) (*demo, error) {
	addresses := map[string]string{
		"ADDR":         cmp.Or(getenv("ADDR"), "127.0.0.1:8080"),
		"ADMIN_ADDR":   cmp.Or(getenv("ADMIN_ADDR"), "127.0.0.1:9090"),
		"COGNITO_ADDR": cmp.Or(getenv("COGNITO_ADDR"), "127.0.0.1:9229"),
	}
	for name, addr := range addresses {
		if cognitotest.Loopback(addr) != nil {
			return nil, fmt.Errorf("%s must be a loopback address such as 127.0.0.1:8080: the demo hands out tokens to anybody who knows its password", name)
		}
	}
	pools := cognitotest.DemoPools()
	server, err := cognitotest.New(cognitotest.Options{Pools: pools})
	if err != nil {
		return nil, err
	}
	standIn, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addresses["COGNITO_ADDR"])
	if err != nil {
		return nil, fmt.Errorf("COGNITO_ADDR: %w", err)
	}
	d := &demo{pools: server, standIn: standIn, cognito: &http.Server{Handler: server, ReadHeaderTimeout: 5 * time.Second}}
	go func() { _ = d.cognito.Serve(standIn) }()

	config, err := app.LoadConfig(environment(getenv, addresses, standIn.Addr().String()))
	var page http.Handler
	if err == nil {
		page, err = newPage("http://"+standIn.Addr().String(), pools, getenv("MFA_POLICY") != "")
	}
	if err == nil {
		d.app, err = app.New(config, app.Options{Logger: logger, Build: app.Build(), Page: page})
	}
	if err == nil {
		err = d.app.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.cognito.Close())
	}
	return d, nil
}

func (d *demo) wait(ctx context.Context) int {
	defer func() { _ = d.cognito.Close() }()
	return d.app.Wait(ctx)
}

// environment is the service's configuration for the demo; what is set outside
// wins, but for what makes it a demo.
func environment(getenv func(string) string, addresses map[string]string, standIn string) func(string) string {
	fixed := map[string]string{
		"ADDR":                   addresses["ADDR"],
		"ADMIN_ADDR":             addresses["ADMIN_ADDR"],
		"COGNITO_ENDPOINT":       "http://" + standIn,
		"COGNITO_USER_POOL_IDS":  "us-east-1_Optional,us-east-1_Required",
		"COGNITO_CLIENT_IDS":     "demo-optional,demo-required,demo-required-web",
		"COGNITO_CLIENT_SECRETS": "demo-required=demo-secret",
	}
	return func(name string) string {
		if value, ok := fixed[strings.TrimSuffix(name, "_FILE")]; ok {
			if strings.HasSuffix(name, "_FILE") {
				return ""
			}
			return value
		}
		if name == "TOTP_ISSUER" {
			return cmp.Or(getenv(name), "Demo")
		}
		return getenv(name)
	}
}
