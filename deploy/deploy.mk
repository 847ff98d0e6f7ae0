# Included by the Makefile at the root.
.PHONY: deploy-test deploy-files image reproducible release

VERSION  ?= $(shell git describe --tags --always 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

# The chart, the rules, the dashboard, the compose file, the CloudFormation
# template and the runbook. promtool is of Debian's package prometheus; helm is built
# at the version that tools/go.mod pins. deploy/live, a part of `make test`, has rules
# and dashboard on a Prometheus that scrapes the service.
deploy-test:
	cd deploy/test && go vet ./... && go test -count=1 -timeout 30m ./... # helm is built in there

# The chart's copies of the rules and the dashboard.
deploy-files:
	cp deploy/prometheus/rules.yaml deploy/grafana/dashboard.json deploy/helm/mfa-enrollment/files/

# The image as an OCI layout in bin/image, without Docker and without a push.
# `skopeo copy oci:bin/image docker://…` or `crane push bin/image …` publishes it.
image:
	go -C tools run ./image -version '$(VERSION)' -revision '$(REVISION)' -to ../bin/image
	IMAGE="$(CURDIR)/bin/image" go -C deploy/test test -count=1 -v -run Image .

# Builds the service twice from HEAD, with nothing shared, and compares.
reproducible:
	./deploy/reproducible.sh

# What a tag needs, in bin/release/VERSION, from a clean tree:
# make release VERSION=1.2.3. docs/releasing.md says how to sign and publish it.
release:
	./deploy/release.sh '$(VERSION)'
