# What the release binary is made of.
.PHONY: sbom licences verify vulnerabilities

# A CycloneDX SBOM of cmd/api, reproducible: no serial number, no time. For
# another platform set GOOS and GOARCH, as for the build.
sbom:
	@mkdir -p bin
	$(APART) cyclonedx-gomod app -json -licenses -noserial -notimestamp -main cmd/api -output bin/sbom.cdx.json .

# The licence of every module that is linked; fails for one that is not permissive.
licences: sbom
	go -C tools/apart run ./licences < bin/sbom.cdx.json

# That the modules are those that go.sum knows.
verify:
	go mod verify

# Known vulnerabilities that the code can reach. The database is on the Internet:
# where it is out of reach this says so and checks nothing.
vulnerabilities:
	@if out=$$($(APART) govulncheck ./cmd/api 2>&1); then echo "$$out"; \
	elif echo "$$out" | grep -q 'fetching vulnerabilities'; then echo "NOT CHECKED: the vulnerability database cannot be reached from here."; \
	else echo "$$out"; exit 1; fi
