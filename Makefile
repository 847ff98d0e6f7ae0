# Everything here needs Go alone, unless a line says otherwise.
GEN  := go tool -modfile=tools/gen/go.mod oapi-codegen
LINT := go tool -modfile=tools/lint/go.mod golangci-lint

.PHONY: demo test generate generated lint compatible build

# The service, a stand-in for Amazon Cognito and a page, on loopback.
demo:
	go run ./cmd/demo

# All tests. Those that need Node, Redis, Chromium, zbar or Prometheus run where
# these are installed and say so where they are not; with CI=true they must run.
test:
	go vet ./...
	go test ./internal/qr # All samples; the race detector makes the judge 14 times slower.
	go test -race -parallel 8 -timeout 30m ./...

# The server code from openapi.yaml.
generate:
	$(GEN) -config handlers/api/oapi-codegen.yaml openapi.yaml

# Fails when the generated code is not what openapi.yaml says.
generated: generate
	git diff --exit-code -- handlers/api

lint:
	$(LINT) run ./...

# Fails when a client of the last tagged version could break; says so when there
# is no tag yet.
compatible:
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || { echo "no tag yet: nothing to compare openapi.yaml with"; exit 0; }; \
	go tool -modfile=tools/diff/go.mod oasdiff breaking --fail-on ERR "$$tag:openapi.yaml" openapi.yaml

# grpcnotrace leaves out a debugging page of gRPC's, which the OpenTelemetry
# exporter brings along. It uses templates, and where these are linked the linker
# must keep every exported method of everything: 15 MB more.
build:
	CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '-s -w' -o bin/api ./cmd/api

include bench/bench.mk deploy/deploy.mk fuzz.mk tools/sbom/sbom.mk
