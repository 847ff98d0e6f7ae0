# Fuzzing, FUZZTIME for each target (go help testflag): a minute for the nightly
# run, some thousand inputs in CI. What is found is written to the package's
# testdata/fuzz, where every later go test runs it.
FUZZTIME ?= 60s

FUZZ := \
	./internal/token:FuzzVerify \
	./internal/token:FuzzVerifySignedClaims \
	./handlers:FuzzAccept \
	./handlers:FuzzBody \
	./handlers:FuzzForwardedAddress \
	./internal/enroll:FuzzFittingStep \
	./internal/pending:FuzzOpen \
	./internal/redislink:FuzzURL \
	./internal/qr:FuzzModules \
	./internal/qr:FuzzNewKey

.PHONY: fuzz
fuzz:
	@set -e; for target in $(FUZZ); do \
		echo "== $$target"; \
		go test $${target%%:*} -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; \
	done
