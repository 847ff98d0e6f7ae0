// Package deploytest checks what is in deploy/: the chart as Kubernetes would
// read it, the rules with promtool, the dashboard, the compose file, the
// CloudFormation template, and the runbook. It is a module of its own, so that
// the types of Kubernetes stay out of the service's go.mod, and holds tests alone.
//
// deploy/live runs the rules and the dashboard against the service.
package deploytest
