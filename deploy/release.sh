#!/usr/bin/env bash
# Makes what a tag needs, in bin/release/VERSION: binaries, images, chart, SBOM,
# notes, checksums. docs/releasing.md says what to do with them. The same commit and
# the same Go give the same bytes each time: nothing holds a time or a path.
#
#   deploy/release.sh 1.2.3
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?which version, such as 1.2.3}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "$version is no version such as 1.2.3" >&2; exit 2; }
if [ -n "$(git status --porcelain)" ]; then
	echo "the tree is not clean: what is released is a commit" >&2
	exit 2
fi
revision=$(git rev-parse HEAD)
out=$PWD/bin/release/$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

# cyclonedx-gomod reads the commit, and cannot in a worktree of git's. It is built
# before GOARCH names another machine's processor: go tool would build it for that.
git clone --quiet . "$work/source"
go build -modfile=tools/apart/go.mod -o "$work/cyclonedx-gomod" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

# pack writes a tar.gz of what is in a folder, the same each time.
pack() {
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$2" -c "${@:3}" | gzip -n -9 >"$1"
}

for arch in ${ARCHITECTURES:-amd64 arm64}; do
	folder=$work/$arch
	mkdir -p "$folder"
	GOOS=linux GOARCH=$arch CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags grpcnotrace \
		-ldflags "-s -w -buildid= -X mfa-enrollment/app.version=$version -X mfa-enrollment/app.revision=$revision" \
		-o "$folder/mfa-enrollment" ./cmd/api
	cp README.md CHANGELOG.md "$folder"
	pack "$out/mfa-enrollment-$version-linux-$arch.tar.gz" "$folder" mfa-enrollment README.md CHANGELOG.md
	go -C tools run ./image -version "$version" -revision "$revision" -platform "linux/$arch" -to "$work/image-$arch"
	pack "$out/mfa-enrollment-$version-image-$arch.tar.gz" "$work/image-$arch" .
	(
		cd "$work/source"
		GOOS=linux GOARCH=$arch CGO_ENABLED=0 "$work/cyclonedx-gomod" app -json -licenses -noserial -notimestamp \
			-main cmd/api -output "$out/mfa-enrollment-$version-linux-$arch.cdx.json" .
	)
done

# helm package would write the time of day.
mkdir -p "$work/chart"
cp -r deploy/helm/mfa-enrollment "$work/chart"
rm -r "$work/chart/mfa-enrollment/ci"
sed -i "s/^version: .*/version: $version/; s/^appVersion: .*/appVersion: \"$version\"/" "$work/chart/mfa-enrollment/Chart.yaml"
pack "$out/mfa-enrollment-chart-$version.tgz" "$work/chart" mfa-enrollment

# The section of this version; before it has one, what is not released yet.
awk -v version="$version" '
	/^## / { inside = ($2 == version || $2 == "[" version "]") }
	inside && !/^## /' CHANGELOG.md >"$out/notes.md"
if [ ! -s "$out/notes.md" ]; then
	echo "CHANGELOG.md has no section $version; the notes are those of Unreleased" >&2
	awk '/^## / { inside = ($2 == "Unreleased") } inside && !/^## /' CHANGELOG.md >"$out/notes.md"
fi

cd "$out"
sha256sum -- * >"$work/checksums"
mv "$work/checksums" SHA256SUMS
cat SHA256SUMS
