.PHONY: bench bench-qr

# The service beside its peers, some ten minutes; docs/performance.md explains
# the tables. Linux only.
bench:
	cd bench && go run .

# The picture alone, against go-qrcode.
bench-qr:
	@out=$$(mktemp) && trap 'rm -f "$$out"' EXIT && \
	go test -run '^$$' -bench QR -count 6 ./internal/qr >"$$out" && \
	cd bench && go tool benchstat qr="$$out"
