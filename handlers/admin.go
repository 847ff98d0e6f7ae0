package handlers

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// AdminOptions configures the admin handler.
type AdminOptions struct {
	Gatherer prometheus.Gatherer
	// Ready says why the service should not get requests, or nil.
	Ready func() error
	// Note says what is wrong although the service should get requests, or is
	// empty.
	Note func() string
	// Level is the log level, which PUT /loglevel changes.
	Level *slog.LevelVar
	// Profiling serves /debug/pprof/ as well.
	Profiling bool
}

// NewAdmin makes the handler of the admin listener: /metrics, /healthz (the
// process answers), /readyz (it should get requests) and PUT /loglevel. None of it
// belongs on the public address.
func NewAdmin(o AdminOptions) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true})))
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if err := o.Ready(); err != nil {
			return c.String(http.StatusServiceUnavailable, err.Error()+"\n")
		}
		return c.String(http.StatusOK, "ok\n"+o.Note())
	})
	e.PUT("/loglevel", func(c echo.Context) error {
		text, err := io.ReadAll(io.LimitReader(c.Request().Body, 16))
		if err == nil {
			err = o.Level.UnmarshalText(bytes.TrimSpace(text))
		}
		if err != nil {
			return c.String(http.StatusBadRequest, "want DEBUG, INFO, WARN or ERROR\n")
		}
		return c.String(http.StatusOK, o.Level.Level().String()+"\n")
	})
	if o.Profiling {
		e.GET("/debug/pprof/*", echo.WrapHandler(http.HandlerFunc(pprof.Index)))
		e.GET("/debug/pprof/profile", echo.WrapHandler(http.HandlerFunc(pprof.Profile)))
		e.GET("/debug/pprof/trace", echo.WrapHandler(http.HandlerFunc(pprof.Trace)))
	}
	return e
}
