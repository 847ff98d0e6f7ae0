#!/usr/bin/env bash
# Builds the service twice from one commit (HEAD, or the first argument), each
# time in a folder and with a build cache of its own, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$(git rev-parse --verify "${1:-HEAD}^{commit}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for build in first the-second-in-a-longer-path; do
	mkdir -p "$work/$build/source"
	git archive "$commit" | tar -x -C "$work/$build/source"
	(
		cd "$work/$build/source"
		GOCACHE="$work/$build/cache" CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags grpcnotrace \
			-ldflags "-s -w -buildid= -X mfa-enrollment/app.version=$commit" \
			-o "$work/$build/api" ./cmd/api
	)
	rm -rf "$work/$build/cache"
done

cd "$work"
sha256sum -- */api
wc -c first/api
cmp first/api the-second-in-a-longer-path/api
echo "equal: $(go version | cut -d' ' -f3-), commit $commit"
