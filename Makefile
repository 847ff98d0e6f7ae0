# Everything here needs Go alone, unless a line says otherwise.
# The tools, at the versions that tools/go.mod pins. Two are apart: oapi-codegen
# does not compile with the go-yit of ko, and cyclonedx-gomod recognises fewer
# licences with the gonum of golangci-lint.
TOOL  := go tool -modfile=tools/go.mod
APART := go tool -modfile=tools/apart/go.mod

# Everything is compiled as a release is, so that what one target compiles the next
# one finds in Go's cache.
#
# grpcnotrace leaves out a debugging page of gRPC's, which the OpenTelemetry
# exporter brings along. It uses templates, and where these are linked the linker
# must keep every exported method of everything: 15 MB more.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath -tags=grpcnotrace

.PHONY: demo test test-race test-long generate generated lint compatible build

# The service, a stand-in for Amazon Cognito and a page, on loopback.
demo:
	go run ./cmd/demo

# Packages whose tests run at once: these wait for timers, Redis and Chromium half
# of the time.
AT_ONCE := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

# Packages whose tests all wait for LONG=1: linking them takes seconds.
LONG_ONLY := ./test/rolling ./test/upgrades

# All tests. Those that need Node, Redis, Chromium, zbar or Prometheus run where
# these are installed and say so where they are not; with CI=true they must run.
# FLAGS are more of go test's, such as FLAGS=-count=1. `make lint` has go vet.
test:
	go test -vet=off -p $(AT_ONCE) -parallel 8 -timeout 30m $(FLAGS) $$(go list ./... $(if $(LONG),,| grep -vxF "$$(go list $(LONG_ONLY))"))

# The packages that run things at once, under the race detector, which wants cgo and
# so a C compiler. Everything that they import is compiled once more for it.
test-race:
	CGO_ENABLED=1 go test -race -vet=off -p $(AT_ONCE) -parallel 8 -timeout 60m $(FLAGS) ./app ./cmd/rollout ./cognito ./cognito/cognitotest \
		./handlers ./internal/enroll ./internal/events ./internal/limit ./internal/pending ./internal/permit ./internal/quota \
		./internal/redislink ./internal/token ./test/attacks ./test/contract

# What `make test` does, with the exhaustive searches in full (who asks test/long),
# and the race detector.
test-long:
	LONG=1 $(MAKE) test
	@$(MAKE) test-race

# The server code from openapi.yaml.
generate:
	$(APART) oapi-codegen -config handlers/api/oapi-codegen.yaml openapi.yaml

# Fails when the generated code is not what openapi.yaml says.
generated: generate
	git diff --exit-code -- handlers/api

lint:
	$(TOOL) golangci-lint run ./...

# Fails when a client of the last tagged version could break; says so when there
# is no tag yet.
compatible:
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || { echo "no tag yet: nothing to compare openapi.yaml with"; exit 0; }; \
	$(TOOL) oasdiff breaking --fail-on ERR "$$tag:openapi.yaml" openapi.yaml

# VERSION and REVISION say which build it is (api version, build_info).
STAMP = -X mfa-enrollment/app.version=$(VERSION) -X mfa-enrollment/app.revision=$(REVISION)
build:
	go build -ldflags '-s -w $(STAMP)' -o bin/api ./cmd/api

include bench/bench.mk deploy/deploy.mk fuzz.mk tools/sbom.mk
