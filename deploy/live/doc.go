// Package live runs the recording rules, the alerts and the dashboard of
// deploy/ on a real Prometheus that scrapes the running service, against the
// stand-in for Cognito, under a small load. It holds tests alone.
package live
